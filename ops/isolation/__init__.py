"""The proof that no tenant reads another's key, over the documents that are deployed. It covers all requests,
not examples.

What is deployed
    deployment      roles, secrets and keys with their policies
    identities      tenants without a key
    resources       a registered resource; a text with a placeholder
    bootstrapped    the boundaries that the cell's bootstrap made
    state           the same from a stack's exported state
    policy          a document as statements

As formulas
    terms           texts that are partly known, and patterns
    requests        a caller, a request and its secret
    conditions      whether a request meets conditions
    decision        AWS's evaluation logic

The proof
    claims          what must hold of a cell
    proof           asks the solver
    attempts        requests that must fail, one by one
    handover        those of the hand-over role
    tokens          those on tokens in place of keys
    pipeline_state  the same for objects in the bucket of the stacks' state
    concrete        one request, decided by the same formulas
    counterexample  a counterexample as a sentence

The access matrix
    access          who may do what
    grants          the matrix, to compare and to read
    picture         the matrix as SVG
"""

from ops.isolation.access import matrix as matrix
from ops.isolation.grants import Matrix as Matrix
from ops.isolation.proof import Verdict as Verdict
from ops.isolation.proof import prove as prove
