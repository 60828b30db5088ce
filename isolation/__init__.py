"""The proof that no tenant reads another's key, over the documents that are deployed. Not examples: all requests."""

from isolation.access import matrix as matrix
from isolation.grants import Matrix as Matrix
from isolation.proof import Verdict as Verdict
from isolation.proof import prove as prove
