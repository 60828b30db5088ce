"""The proof that no tenant reads another's key, over the documents that are deployed. It covers all requests, not
examples."""

from ops.isolation.access import matrix as matrix
from ops.isolation.grants import Matrix as Matrix
from ops.isolation.proof import Verdict as Verdict
from ops.isolation.proof import prove as prove
