"""IAM on loopback: applications, policies with their rules, and API keys whose secrets are shown once."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Flask, Response, abort, jsonify, request
from scaleway.iam.v1alpha1.types import (
    APIKey,
    Application,
    CreateAPIKeyRequest,
    CreateApplicationRequest,
    CreatePolicyRequest,
    Policy,
    Rule,
    SetRulesRequest,
    UpdateApplicationRequest,
)
from support.account_state import ORGANIZATION_ID, AccountApi
from support.api_answers import body_of, found, new_access_key, page

IAM = "/iam/v1alpha1"


def add_applications(app: Flask, account: AccountApi) -> None:
    @app.get(f"{IAM}/applications")
    def list_applications() -> Response:
        its = [each for each in account.applications.values() if request.args.get("name", "") in each["name"]]
        return page("applications", its)

    @app.post(f"{IAM}/applications")
    def create_application() -> Response:
        new = body_of(CreateApplicationRequest)
        assert new["organization_id"] == ORGANIZATION_ID
        refuse_second(account.applications, new["name"])
        its = dict.fromkeys(("editable", "deletable"), True)
        made = Application(id=str(uuid4()), managed=False, nb_api_keys=0, **its, **new)
        return keep(account.applications, made)

    @app.patch(f"{IAM}/applications/<identifier>")
    def update_application(identifier: str) -> Response:
        found(account.applications, identifier).update(body_of(UpdateApplicationRequest, in_path="application_id"))
        return jsonify(account.applications[identifier])

    @app.delete(f"{IAM}/applications/<identifier>")
    def delete_application(identifier: str) -> Response:
        found(account.applications, identifier)
        held = [*account.policies.values(), *account.api_keys.values()]
        if any(each["application_id"] == identifier for each in held):
            abort(412, "the application has keys or policies")  # stricter than Scaleway, which removes them, too
        del account.applications[identifier]
        return Response(status=204)


def add_policies(app: Flask, account: AccountApi) -> None:
    @app.get(f"{IAM}/policies")
    def list_policies() -> Response:
        of = request.args.getlist("application_ids")
        return page("policies", [each for each in account.policies.values() if each["application_id"] in of])

    @app.post(f"{IAM}/policies")
    def create_policy() -> Response:
        new = body_of(CreatePolicyRequest)
        found(account.applications, new["application_id"])
        refuse_second(account.policies, new["name"])
        rules = new.pop("rules")
        its = dict.fromkeys(("editable", "deletable"), True)
        counts = {"nb_rules": len(rules), "nb_scopes": 1, "nb_permission_sets": 1}
        made = Policy(id=str(uuid4()), managed=False, **its, **counts, **new)
        account.rules[made.id] = [a_rule(rule) for rule in rules]
        return keep(account.policies, made)

    @app.delete(f"{IAM}/policies/<identifier>")
    def delete_policy(identifier: str) -> Response:
        found(account.policies, identifier)
        del account.policies[identifier], account.rules[identifier]
        return Response(status=204)

    @app.get(f"{IAM}/rules")
    def list_rules() -> Response:
        return page("rules", account.rules[request.args["policy_id"]])

    @app.put(f"{IAM}/rules")
    def set_rules() -> Response:
        new = body_of(SetRulesRequest)
        account.rules[new["policy_id"]] = [a_rule(rule) for rule in new["rules"]]
        return jsonify(rules=account.rules[new["policy_id"]])


def add_keys(app: Flask, account: AccountApi) -> None:
    @app.get(f"{IAM}/api-keys")
    def list_keys() -> Response:
        wanted = request.args.get("application_id")
        its = [each for each in account.api_keys.values() if wanted in {None, each["application_id"]}]
        return page("api_keys", its)

    @app.get(f"{IAM}/api-keys/<access_key>")
    def get_key(access_key: str) -> Response:
        return jsonify(found(account.api_keys, access_key))

    @app.post(f"{IAM}/api-keys")
    def create_key() -> Response:
        new = body_of(CreateAPIKeyRequest)
        found(account.applications, new["application_id"])
        access_key, secret = new_access_key(), str(uuid4())
        account.api_keys[access_key] = a_key(
            access_key, new["default_project_id"], application_id=new["application_id"], description=new["description"]
        )
        account.secret_keys[access_key] = secret
        return jsonify(account.api_keys[access_key] | {"secret_key": secret})  # this once

    @app.delete(f"{IAM}/api-keys/<access_key>")
    def delete_key(access_key: str) -> Response:
        found(account.api_keys, access_key)
        del account.api_keys[access_key], account.secret_keys[access_key]
        return Response(status=204)


def a_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return asdict(Rule(id=str(uuid4()), permission_sets_scope_type="projects", **rule))


def a_key(access_key: str, project_id: str, *, description: str = "", **bearer: str) -> dict[str, Any]:
    its = dict.fromkeys(("editable", "deletable"), True)
    key = APIKey(
        access_key=access_key, description=description, default_project_id=project_id, managed=False,
        creation_ip="192.0.2.1", **its, **bearer,
    )  # fmt: skip
    return asdict(key) | {"created_at": datetime.now(UTC).isoformat()}


def refuse_second(kept: Mapping[str, dict[str, Any]], name: str) -> None:
    if name in {each["name"] for each in kept.values()}:
        abort(409, "there is one of this name")


def keep(kept: dict[str, dict[str, Any]], made: Any) -> Response:
    kept[made.id] = asdict(made)
    return jsonify(kept[made.id])
