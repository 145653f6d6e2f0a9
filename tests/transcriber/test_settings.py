"""Settings: read once from the environment, each fault naming its variable and never its value."""

import ipaddress

import pytest

from transcriber.errors import SettingsError
from transcriber.settings import AllowedHost, ApiKind, Settings

KEY = {"GENERATIVE_API_KEY": "a-secret-key"}


def test_defaults_are_those_of_the_documentation() -> None:
    """With nothing but a key set, every setting has its documented default."""
    settings = Settings.from_environment(KEY)
    assert settings.api_url == "https://api.scaleway.ai/v1"
    assert settings.models == ("whisper-large-v3", "voxtral-small-24b-2507")
    assert (settings.max_audio_bytes, settings.max_audio_seconds) == (500_000_000, 18_000)
    assert settings.access_token is None
    assert settings.allowed_private_hosts == ()
    assert settings.log_level == "info"
    assert (settings.minute_seconds, settings.job_days) == (60, 7)


def test_secret_key_of_a_laptop_serves() -> None:
    """Where GENERATIVE_API_KEY is not set, SCW_SECRET_KEY is taken, and otherwise it is not."""
    assert Settings.from_environment({"SCW_SECRET_KEY": "laptop"}).api_key == "laptop"
    assert Settings.from_environment({"SCW_SECRET_KEY": "laptop", **KEY}).api_key == "a-secret-key"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GENERATIVE_API_KEY", ""),
        ("GENERATIVE_API_KEY", "two words"),
        ("GENERATIVE_API_KEY", "schlüssel"),
        ("GENERATIVE_API_URL", "api.scaleway.ai/v1"),
        ("GENERATIVE_API_URL", "ftp://api.scaleway.ai"),
        ("GENERATIVE_API_URL", "https://api.scaleway.ai/v1?x=1"),
        ("GENERATIVE_API_URL", "https://api.scaleway.ai/v1#x"),
        ("GENERATIVE_API_URL", "https://user:password@api.scaleway.ai/v1"),
        ("GENERATIVE_API_URL", "https://api scaleway.ai/v1"),
        ("GENERATIVE_API_URL", "https://api:99999/"),
        ("MODELS", ","),
        ("MODELS", "an-unheard-of-model"),
        ("MODEL_APIS", "my-model"),
        ("MODEL_APIS", "my-model=telepathy"),
        ("OUTPUT_PREFIX", "x" * 501),
        ("MAX_AUDIO_MB", "0"),
        ("MAX_AUDIO_MB", "plenty"),
        ("MAX_AUDIO_MB", "1e400"),
        ("MAX_AUDIO_MB", "1e305"),
        ("MAX_AUDIO_MINUTES", "inf"),
        ("GENERATIVE_API_URL", "http://a\x01b.com/"),
        ("GENERATIVE_API_URL", f"http://{'a' * 64}.com/"),
        ("MAX_AUDIO_MINUTES", "-1"),
        ("MAX_AUDIO_MINUTES", "nan"),
        ("TIME_LIMIT", "4000"),
        ("ALLOWED_PRIVATE_HOSTS", "http://intranet/"),
        ("ALLOWED_PRIVATE_HOSTS", "intranet:port"),
        ("LOG_LEVEL", "chatty"),
        ("MINUTE_SECONDS", "61"),
        ("JOB_DAYS", "0"),
        ("JOB_DAYS", "1.5"),
        ("JOB_DAYS", "366"),
        ("S3_ENDPOINT", "s3.fr-par.scw.cloud"),
        ("OUTPUT_FORMATS", "docx"),
        ("PRICES", "whisper-large-v3"),
        ("PRICES", "whisper-large-v3=-1"),
        ("PRICES", "whisper-large-v3=€1"),
    ],
)
def test_fault_names_its_variable_and_not_its_value(variable: str, value: str) -> None:
    """A missing or wrong setting is an error that names the variable and keeps its value to itself."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({**KEY, variable: value})
    assert caught.value.variable == variable
    assert variable in caught.value.message
    if "KEY" in variable and value:
        assert value not in caught.value.message


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ({"S3_ACCESS_KEY": "an-access-key"}, "S3_SECRET_KEY"),
        ({"S3_SECRET_KEY": "a-hidden-key"}, "S3_ACCESS_KEY"),
        ({"QUEUE_ACCESS_KEY": "an-access-key"}, "QUEUE_SECRET_KEY"),
        ({"QUEUE_URL": "https://sqs.mnq.fr-par.scaleway.com/project/jobs"}, "QUEUE_ACCESS_KEY"),
    ],
)
def test_key_pairs_are_whole(given: dict[str, str], variable: str) -> None:
    """Half of a key pair, and a queue without one, is an error that names what is missing."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({**KEY, **given})
    assert caught.value.variable == variable
    assert "a-hidden-key" not in caught.value.message


def test_settings_of_stored_transcripts() -> None:
    """Where transcripts go, in which formats, and what a minute costs is read as it is written."""
    settings = Settings.from_environment(
        {**KEY, "OUTPUT_PREFIX": "/", "OUTPUT_FORMATS": "srt, text", "PRICES": "whisper=0.003, mine=1"}
    )
    assert (settings.output_prefix, settings.output_formats) == ("", ("srt", "text"))
    assert settings.prices == {"whisper": 0.003, "mine": 1}
    assert Settings.from_environment(KEY).output_prefix == "transcripts/"


def test_api_of_a_model_is_told_by_its_name_or_by_model_apis() -> None:
    """MODEL_APIS decides first, then the names of known families; of another model, the API is unknown."""
    settings = Settings.from_environment(
        {**KEY, "MODELS": "ours", "MODEL_APIS": "ours=chat, voxtral-mini=transcriptions"}
    )
    assert settings.api_kind("ours") is ApiKind.CHAT
    assert settings.api_kind("voxtral-mini") is ApiKind.TRANSCRIPTIONS
    assert settings.api_kind("voxtral-small-24b-2507") is ApiKind.CHAT
    assert settings.api_kind("openai/whisper-large-v3:fp16") is ApiKind.TRANSCRIPTIONS
    assert settings.api_kind("llama") is None


def test_allowed_private_hosts_are_names_addresses_networks_and_ports() -> None:
    """Every form of a private host is read, with its port where it has one."""
    settings = Settings.from_environment(
        {**KEY, "ALLOWED_PRIVATE_HOSTS": "Intranet., 10.0.0.0/8, 127.0.0.1:8080, [::1]:9"}
    )
    assert settings.allowed_private_hosts == (
        AllowedHost(name="intranet"),
        AllowedHost(network=ipaddress.ip_network("10.0.0.0/8")),
        AllowedHost(network=ipaddress.ip_network("127.0.0.1/32"), port=8080),
        AllowedHost(network=ipaddress.ip_network("::1/128"), port=9),
    )


def test_secrets_are_not_in_the_representation() -> None:
    """Printing the settings shows no secret."""
    accounts = {
        name: f"secret-{name}" for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY", "QUEUE_ACCESS_KEY", "QUEUE_SECRET_KEY")
    }
    settings = Settings.from_environment(
        {**KEY, "ACCESS_TOKEN": "another-secret", "CALLBACK_SECRET": "whsec_c2VjcmV0", **accounts}
    )
    assert {*settings.secrets} == {
        "a-secret-key",
        "another-secret",
        "whsec_c2VjcmV0",
        "c2VjcmV0",
        *accounts.values(),
    }
    assert "secret" not in repr(settings)
