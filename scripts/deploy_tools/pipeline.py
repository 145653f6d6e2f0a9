"""`scripts/deploy --bucket`: from an account with nothing in it to a bucket that is transcribed by itself."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy_tools.account.applications import Application
from deploy_tools.account.bucket import Bucket
from deploy_tools.account.change import Change
from deploy_tools.account.connection import Account, KeyPair
from deploy_tools.account.function import Function, Wanted
from deploy_tools.account.keys import FunctionKey, QueueKeys, all_variables, api_key, queue_key, storage_key
from deploy_tools.account.queues import Queues
from deploy_tools.configuration import Configuration, Triggers
from deploy_tools.costs import costs
from deploy_tools.environment import check_pipeline_environment
from deploy_tools.errors import DeploymentError
from deploy_tools.facts import API_RIGHTS, STORAGE_RIGHTS, expiries
from deploy_tools.framework import deploy_archive
from deploy_tools.names import BUCKET_NOTE, MADE_NOTE, application_name
from deploy_tools.node import find_node, install_tools


@dataclass(frozen=True)
class Order:
    """What is to be set up: this bucket, its recordings under `prefix`, by the serverless.yml at `config`.

    `python` is another one than the file's runtime has.
    """

    bucket: str
    prefix: str
    config: Path
    python: str | None = None


# Deploys an archive by a serverless.yml, in an environment whose secrets are named again.
Deploy = Callable[[Path, Path, Mapping[str, str], Sequence[str]], None]


def deploy_by_framework(archive: Path, config: Path, environment: Mapping[str, str], secrets: Sequence[str]) -> None:
    """Deploy with the Serverless Framework, to the same API as all else."""
    node = find_node()
    install_tools()
    deploy_archive(archive, config, node=node, environment=environment, secrets=secrets)


def refuse_to_undo(configuration: Configuration, environment: Mapping[str, str]) -> None:
    """Raise `DeploymentError` where `--bucket` set the function up: without it, triggers and keys would be removed."""
    url = environment.get("SCW_API_URL") or environment.get("SCW_FUNCTION_URL", "").partition("/functions/")[0]
    account = Account({**environment, "SCW_API_URL": url}, region=configuration.region)
    function = Function(account, configuration.service, configuration.function_name)
    with suppress(DeploymentError):  # what cannot be seen here, the framework reports
        function.look()
    if function.is_of_pipeline:
        raise DeploymentError(
            f"The function transcribes the bucket {function.swept_bucket}: deploy it with --bucket, as at first. "
            "Otherwise its triggers and keys would go. For a function without a bucket, first: scripts/deploy --remove"
        )


class Pipeline:
    """All parts of a bucket pipeline, in one account; `deploy` is what deploys the function."""

    def __init__(self, order: Order, environment: Mapping[str, str], *, deploy: Deploy | None = None) -> None:
        self.secrets = check_pipeline_environment(environment, order.config, order.bucket)
        self._order = order
        self._deploy_archive = deploy or deploy_by_framework
        region = Configuration.read(order.config, environment).region
        self._account = Account(environment, region=region)
        own = {
            "S3_ENDPOINT": self._account.storage_url,
            "S3_REGION": region,
            "OUTPUT_BUCKET": order.bucket,
        }
        if api_url := environment.get("SCW_API_URL"):  # the framework's plugin has a variable of its own for it
            path = f"functions/v1beta1/regions/{region}"
            own["SCW_FUNCTION_URL"] = environment.get("SCW_FUNCTION_URL") or f"{api_url.rstrip('/')}/{path}"
        self._environment = {**environment, **own}
        configuration = self._configuration()
        self._function = Function(self._account, configuration.service, configuration.function_name)
        output_prefix = configuration.variable("OUTPUT_PREFIX")
        if order.prefix.startswith("/") or (output_prefix and order.prefix.startswith(output_prefix)):
            raise DeploymentError(
                f"--prefix: {order.prefix} holds no recordings: keys begin without a slash, and what begins with "
                f"{output_prefix} is the function's own."
            )
        timeout = configuration.timeout_seconds
        self._queues = Queues(self._account, configuration.service, timeout_seconds=timeout)
        ends = expiries(output_prefix, int(configuration.variable("JOB_DAYS")))
        self._bucket = Bucket(self._account, order.bucket, ends)
        self._has_own_api_key = bool(environment.get("GENERATIVE_API_KEY"))
        # The application of a key that was made earlier, where one is given now.
        self._retired: Application | None = None
        self._keys: list[FunctionKey] = []

    def plan(self, archive: Path) -> Iterator[Change]:
        """What has to be done before the function can be deployed; says what else there is to know on the way.

        `DeploymentError` where something else has the names or the function.
        """
        self._digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        self._function.look()
        swept = self._function.swept_bucket
        if swept not in {None, self._order.bucket}:
            raise DeploymentError(
                f"The function transcribes the bucket {swept}, and can do so for one. "
                "Take that away first: scripts/deploy --remove (recordings and transcripts stay)."
            )
        is_bucket_there = self._bucket.exists()
        for application in self._identify(is_bucket_there=is_bucket_there):
            yield from application.plan()
        yield from self._bucket.plan()
        if self._account.has_queues and not self._queues.is_active():
            yield Change("turn on Scaleway Queues for the project", self._queues.activate)

    def describe(self) -> Iterator[str]:
        """What follows the changes of the plan."""
        if self._account.has_queues:
            yield (
                f"make the queues {' and '.join(reversed(self._queues.names))} where they are missing, and give them a "
                f"visibility timeout of {self._queues.visibility_timeout} s. To see them takes credentials, which are "
                "made for it, and removed at once"
            )
        else:
            yield f"no queue: {self._account.region} has none. The schedule alone starts the function"
        if reasons := self._differences():
            keys = ", ".join(name for key in self._keys for name in key.names)
            yield f"deploy the function, since {'; '.join(reasons)}; with new keys ({keys})"
        else:
            yield "deploy nothing: the function is what it should be"
        if left := sum(len(key.left_over(self._function)) for key in self._keys):
            yield f"remove {left} keys that the function does not use, or no longer"
        if self._retired is not None:
            yield f"remove {self._retired.name}, since GENERATIVE_API_KEY is given"

    def costs(self) -> Iterator[str]:
        """What it will cost."""
        configuration = self._configuration()
        properties = configuration.properties()
        yield from costs(
            memory_mb=properties["memory_limit"],
            max_scale=properties["max_scale"],
            timeout_seconds=configuration.timeout_seconds,
            there=self._bucket.count(self._order.prefix),
            prices=configuration.variable("PRICES"),
        )

    def make_queues(self) -> Iterator[str]:
        """Make the queues where the region has them; yields a line for each change."""
        if self._account.has_queues:
            yield from self._queues.make()

    def deploy(self, archive: Path) -> bool:
        """Deploy the function with new keys where it has to be, and remove keys that are left over; whether it was."""
        if reasons := self._differences():
            print(f"Deploying the function, since {'; '.join(reasons)} ...", flush=True)
            self._deploy(archive)
        for key in self._keys:
            for access_key in key.left_over(self._function):
                key.issuer.remove_key(access_key)
                print(f"  removed a key that is not used: {access_key}")
        for change in self._retired.plan_removal() if self._retired else ():
            print(f"  {change.text}", flush=True)
            change.make()
        return bool(reasons)

    @property
    def url(self) -> str:
        """Where the function answers."""
        return self._function.url

    def _identify(self, *, is_bucket_there: bool) -> list[Application]:
        """The applications that the function needs, and the keys that come from them."""
        storage = self._application("storage", STORAGE_RIGHTS)
        storage.look()
        was_made = storage.notes.get(BUCKET_NOTE) == self._order.bucket and MADE_NOTE in storage.notes
        notes = {BUCKET_NOTE: self._order.bucket}
        if was_made or not is_bucket_there:
            notes[MADE_NOTE] = "yes"
        storage.want_notes(notes)
        applications, self._keys = [storage], [storage_key(storage)]
        api = self._application("api", API_RIGHTS)
        is_api_there = api.look()
        if not self._has_own_api_key:
            applications.append(api)
            self._keys.append(api_key(api))
        elif is_api_there:
            self._retired = api
        if self._account.has_queues:
            self._keys.append(queue_key(self._queues))
        return applications

    def _application(self, kind: str, rights: tuple[str, ...]) -> Application:
        return Application(self._account, application_name(self._function.service, kind, self._account), rights)

    def _configuration(self, keys: Mapping[str, str] | None = None) -> Configuration:
        environment = {**self._environment, **(keys or {})}
        return Configuration.read(self._order.config, environment, self._order.python)

    def _triggers(self) -> Triggers:
        queue = self._queues.name if self._account.has_queues else None
        return Triggers(self._order.bucket, self._order.prefix, queue)

    def _queue_url(self) -> dict[str, str]:
        """The queue's address, as it is, or as the function knows it; nothing where neither does."""
        url = self._queues.url or self._function.queue_url(self._queues.name)
        return {"QUEUE_URL": url} if self._account.has_queues and url else {}

    def _differences(self) -> list[str]:
        configuration = self._configuration(self._queue_url())
        secrets = configuration.secrets()
        for key in self._keys:
            secrets |= key.known(self._function)
        wanted = Wanted(
            properties=configuration.properties(),
            variables=configuration.variables(),
            secrets=secrets,
            made=[name for key in self._keys for name in key.names],
            triggers=self._triggers(),
            archive_digest=self._digest,
        )
        reasons = self._function.differences(wanted)
        if self._function.exists:
            reasons += [f"its {key.tag} is not there" for key in self._keys if key.current(self._function) is None]
            wrong = (key.issuer.wrong_keys() for key in self._keys if isinstance(key.issuer, QueueKeys))
            reasons += ["its credentials of the queue may do other things" for each in wrong if each]
        return reasons

    def _deploy(self, archive: Path) -> None:
        pairs: dict[FunctionKey, KeyPair] = {key: key.issuer.new_key() for key in self._keys}
        variables = {**self._queue_url(), **all_variables(pairs)}
        text = self._configuration(variables).with_triggers(self._triggers())
        secrets = [*self.secrets, *(pair.secret_key for pair in pairs.values())]
        with tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
            config = Path(folder) / "serverless.yml"
            config.write_text(text)
            self._deploy_archive(archive, config, {**self._environment, **variables}, secrets)
        if not self._function.look():
            raise DeploymentError("The function is not there after its deployment. Run the command again.")
        self._function.note(self._digest, {key.tag: pair.access_key for key, pair in pairs.items()})
