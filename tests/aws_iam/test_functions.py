"""Functions and their roles: passing, trust, and what the running code is.

AWS: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from local import leftovers
from tests.aws_iam.served import ACCOUNT, Cell, allow, refusal, trust, unique, user_arn

LAMBDA = {"Service": "lambda.amazonaws.com"}
CODE = """
import json, os, boto3

def handler(event, context):
    def attempt(service, call, **arguments):
        try:
            answer = getattr(boto3.client(service), call)(**arguments)
            return {k: v for k, v in answer.items() if k != "ResponseMetadata"}
        except Exception as problem:
            return {"error": str(problem)}
    session = os.environ["AWS_ACCESS_KEY_ID"]
    return {"key": session, "who": attempt("sts", "get_caller_identity"), **{
        name: json.loads(json.dumps(attempt(*call["call"], **call["with"]), default=str))
        for name, call in event.items()
    }}
"""


def archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as files:
        files.writestr("code.py", CODE)
    return held.getvalue()


def create(client: Any, role: str, name: str | None = None) -> str:
    made = client.create_function(
        FunctionName=name or unique("function"),
        Role=role,
        Runtime="python3.11",
        Handler="code.handler",
        Code={"ZipFile": archive()},
        Timeout=30,
    )
    return made["FunctionArn"]


def invoke(client: Any, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    with answer["Payload"] as payload:
        return json.loads(payload.read())


def test_who_may_create_a_function_may_not_give_it_any_role(cell: Cell):
    role = cell.role([trust(LAMBDA)], [])
    _, session = cell.user([allow("lambda:CreateFunction")])
    code, message = refusal(lambda: create(cell.client(session, "lambda"), role))
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: iam:PassRole on resource: {role}" in message


@pytest.mark.parametrize(("service", "expected"), [("lambda", True), ("events", False)])
def test_the_service_to_which_a_role_is_passed_is_a_condition(cell: Cell, service: str, expected: bool):
    role = cell.role([trust(LAMBDA)], [])
    condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    _, session = cell.user([allow("lambda:CreateFunction"), allow("iam:PassRole", role, Condition=condition)])
    client = cell.client(session, "lambda")
    if expected:
        assert create(client, role)
    else:
        assert refusal(lambda: create(client, role))[0] == "AccessDeniedException"


def test_changing_a_functions_role_passes_one_too(cell: Cell):
    role = cell.role([trust(LAMBDA)], [])
    function = create(cell.client("administrator", "lambda"), role)
    _, session = cell.user([allow("lambda:UpdateFunctionConfiguration")])
    client = cell.client(session, "lambda")
    assert client.update_function_configuration(FunctionName=function, Timeout=20)["Timeout"] == 20
    code, _ = refusal(lambda: client.update_function_configuration(FunctionName=function, Role=role))
    assert code == "AccessDeniedException"


@pytest.mark.parametrize(
    "statement",
    [
        trust({"Service": "ec2.amazonaws.com"}),
        trust({"AWS": user_arn("administrator")}),
        trust(LAMBDA, "sts:TagSession"),
    ],
    ids=["another service", "a user", "another action"],
)
def test_a_role_that_lambda_cannot_assume_is_refused(cell: Cell, statement: dict[str, Any]):
    role = cell.role([statement], [])
    client = cell.client("administrator", "lambda")
    expected = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
    assert refusal(lambda: create(client, role)) == expected
    function = create(client, cell.role([trust(LAMBDA)], []))
    assert refusal(lambda: client.update_function_configuration(FunctionName=function, Role=role)) == expected


def test_a_role_that_is_not_there_is_refused_in_the_same_words(cell: Cell):
    code, message = refusal(
        lambda: create(cell.client("administrator", "lambda"), f"arn:aws:iam::{ACCOUNT}:role/{unique('none')}")
    )
    assert (code, message) == (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )


def test_a_running_function_is_its_role_and_nothing_more(cell: Cell):
    own, other = cell.secret("mine"), cell.secret("theirs")
    role = cell.role([trust(LAMBDA)], [allow("secretsmanager:GetSecretValue", own)])
    client = cell.client("administrator", "lambda")
    function = create(client, role)
    said = invoke(
        client,
        function,
        {
            "own": {"call": ["secretsmanager", "get_secret_value"], "with": {"SecretId": own}},
            "other": {"call": ["secretsmanager", "get_secret_value"], "with": {"SecretId": other}},
        },
    )
    name, role_name = function.rpartition(":")[2], role.rpartition("/")[2]
    assert said["who"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_name}/{name}"
    assert said["own"]["SecretString"] == "mine"
    assert "is not authorized to perform: secretsmanager:GetSecretValue" in said["other"]["error"]


def test_a_functions_role_made_anew_is_its_role_from_the_next_start_on(cell: Cell):
    """A session is of the role's id, so a running worker's is of the role that is gone:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"""
    secret, name = cell.secret("mine"), unique("role")
    allowed = [allow("secretsmanager:GetSecretValue", secret)]
    iam, client = cell.client("administrator", "iam"), cell.client("administrator", "lambda")
    function = create(client, cell.role([trust(LAMBDA)], allowed, RoleName=name))
    ask = {"own": {"call": ["secretsmanager", "get_secret_value"], "with": {"SecretId": secret}}}
    assert "error" not in invoke(client, function, ask)["own"]
    iam.delete_role_policy(RoleName=name, PolicyName="only")
    iam.delete_role(RoleName=name)
    cell.role([trust(LAMBDA)], allowed, RoleName=name)
    assert "AccessDenied" in invoke(client, function, ask)["own"]["error"]
    client.update_function_code(FunctionName=function, ZipFile=archive())
    assert "error" not in invoke(client, function, ask)["own"]


def test_an_executions_credentials_cannot_be_worked_out(cell: Cell):
    """Two functions of the same name, one after the other, share not even the key's id."""
    role, name = cell.role([trust(LAMBDA)], []), unique("function")
    client = cell.client("administrator", "lambda")
    keys: set[str] = set()
    for _ in range(2):
        function = create(client, role, name)
        keys.add(invoke(client, function, {})["key"])
        client.update_function_configuration(FunctionName=function, Role=cell.role([trust(LAMBDA)], []))
        keys.add(invoke(client, function, {})["key"])
        client.delete_function(FunctionName=function)
    assert all(key.startswith("ASIA") for key in keys)
    assert len(keys) == 4


def test_a_function_is_a_condition_of_its_own_calls(cell: Cell):
    """lambda:SourceFunctionArn: https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html"""
    secret, name = cell.secret("v"), unique("function")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    condition = {"ArnEquals": {"lambda:SourceFunctionArn": arn}}
    role = cell.role([trust(LAMBDA)], [allow("secretsmanager:GetSecretValue", secret, Condition=condition)])
    client = cell.client("administrator", "lambda")
    ask = {"value": {"call": ["secretsmanager", "get_secret_value"], "with": {"SecretId": secret}}}
    assert "error" not in invoke(client, create(client, role, name), ask)["value"]
    assert "error" in invoke(client, create(client, role), ask)["value"]


def test_the_deployer_gives_roles_to_functions_and_to_nothing_else(cell: Cell):
    passed = cell.role([trust(LAMBDA)], [], RoleName=unique("myflux-role"))
    deployer = cell.client("deployer", "lambda")
    assert create(deployer, passed, unique("myflux-local"))
    rule = unique("myflux-rule")
    events = cell.client("deployer", "events")
    events.put_rule(Name=rule, ScheduleExpression="rate(1 day)")
    target = {"Id": "t", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "RoleArn": passed}
    code, message = refusal(lambda: events.put_targets(Rule=rule, Targets=[target]))
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message


def test_the_deployer_invokes_what_provisions_and_no_other_function(cell: Cell):
    role = cell.role([trust(LAMBDA)], [], RoleName=unique("myflux-role"))
    admin, deployer = cell.client("administrator", "lambda"), cell.client("deployer", "lambda")
    assert invoke(deployer, create(admin, role, f"{unique('myflux')}-provisioner"), {})["who"]
    other = create(admin, role, f"{unique('myflux')}-reader")
    assert refusal(lambda: deployer.invoke(FunctionName=other))[0] == "AccessDeniedException"


def test_a_functions_code_lies_in_the_cells_own_folder_whoever_started_the_server(cell: Cell):
    """In the machine's temporary folder it would stay for ever where a server is killed."""
    role = cell.role([trust(LAMBDA)], [], RoleName=unique("role"))
    admin, name = cell.client("administrator", "lambda"), unique("function")
    assert invoke(admin, create(admin, role, name), {})["who"]
    assert [folder for folder in leftovers.folders(cell.home) if name in folder.name]


SOMEBODY = ["secretsmanager.amazonaws.com", "*", ACCOUNT, user_arn("administrator"), "arn:aws:iam::111111111111:role/x"]
NOBODY = [
    "secretsmanager",
    "amazonaws.com",
    user_arn("there-is-none"),
    f"arn:aws:iam::{ACCOUNT}:role/there-is-none",
    "",
]


@pytest.mark.parametrize(
    ("principal", "is_there"), [*((one, True) for one in SOMEBODY), *((one, False) for one in NOBODY)]
)
def test_a_permission_names_a_service_an_account_or_somebody_who_is_there(cell: Cell, principal: str, is_there: bool):
    """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html; for a bare ``amazonaws.com``
    https://github.com/Pocket/terraform-modules/pull/1037"""
    client = cell.client("administrator", "lambda", parameter_validation=False)
    function = create(client, cell.role([trust(LAMBDA)], []))

    def add() -> Any:
        return client.add_permission(
            FunctionName=function, StatementId="one", Action="lambda:InvokeFunction", Principal=principal
        )

    if is_there:
        assert add()["Statement"]
        return
    text = "The provided principal was invalid. Please check the principal and try again."
    assert refusal(add) == ("InvalidParameterValueException", text)
    assert json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"] == []
