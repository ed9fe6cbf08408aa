"""docker-compose.yml: what the compose specification takes, what the settings know, and what is promised of it.

The schema is the specification's own (tests/schemas/compose-spec.json, from compose-spec/compose-spec, Apache-2.0).
"""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from sonifold_app.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
OURS = sorted(
    name for name, service in SERVICES.items() if "SONIFOLD_TOKEN" in service.get("environment", {})
)
#: What a service gives that others than the server read: clients of PostgreSQL, and Ray.
FOREIGN = {"PGPASSWORD", "RAY_USAGE_STATS_ENABLED"}
RECIPE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: What a person gives, as the file's own comment tells her to.
SECRET = "0123456789abcdef0123456789abcdef"

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


def interpolated(text, variables):
    """A value as Compose fills it in: ``${NAME}``, with a default ``:-`` or an error ``:?`` where it is not set."""

    def value(match):
        name, sign, rest = match.groups()
        if name in variables or sign == ":-":
            return variables.get(name, rest)
        raise KeyError(name)

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def environment_of(service):
    """What a server is started with: the image's environment, and what the service adds."""
    image = dict(re.findall(r"(SONIFOLD_\w+)=(\S+)", RECIPE.partition("\nENV ")[2]))
    return image | {
        name: interpolated(str(value), {"SONIFOLD_TOKEN": SECRET})
        for name, value in SERVICES[service]["environment"].items()
    }


def test_the_file_is_what_the_compose_specification_takes():
    schema = json.loads((ROOT / "tests" / "schemas" / "compose-spec.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    wrong = {**COMPOSE, "services": {"app": {**SERVICES["app"], "read_onyl": True}}}
    assert list(validator.iter_errors(wrong)), "or the schema holds nobody to anything"


@pytest.mark.parametrize("name", OURS)
def test_a_server_takes_every_setting_that_its_service_gives(name, monkeypatch):
    environment = environment_of(name)
    fields = {f"SONIFOLD_{field.upper()}" for field in Settings.model_fields}
    assert environment.keys() <= fields | FOREIGN
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    assert settings.token.get_secret_value() == SECRET
    assert not settings.loopback, "or nobody outside the container reaches it"


def test_no_service_starts_without_a_token():
    with pytest.raises(KeyError, match="SONIFOLD_TOKEN"):
        interpolated(SERVICES["app"]["environment"]["SONIFOLD_TOKEN"], {})


@each_service
def test_an_image_is_built_here_or_pinned_by_its_digest(service):
    assert "build" in service or re.search(r"@sha256:[0-9a-f]{64}$", service["image"])


@each_service
def test_a_service_has_no_rights_and_writes_to_its_volumes_alone(service):
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()
    assert all(re.match(r"[a-z-]+:/", volume) for volume in service["volumes"]), "no folder of the host"
    users = re.findall(r"^USER (\S+)", RECIPE, re.M) if "build" in service else [service["user"]]
    assert users
    assert users[-1].partition(":")[0] not in ("root", "0")


@each_service
def test_what_a_service_takes_is_bounded(service):
    assert service["mem_limit"]
    assert service["pids_limit"] <= 512
    assert all("size=" in folder for folder in service.get("tmpfs", []))


@each_service
def test_a_service_says_whether_it_is_well(service):
    server = "SONIFOLD_TOKEN" in service.get("environment", {})
    own = server and re.search(r"^HEALTHCHECK (.*\\\n)*.*/readyz", RECIPE, re.M)
    assert own or service["healthcheck"]["test"][0] == "CMD"


@each_service
def test_a_port_is_open_on_this_machine_alone(service):
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_each_server_has_a_data_folder_of_its_own():
    """A server refuses a data folder that another one has."""
    mounted = [volume for service in SERVICES.values() for volume in service["volumes"]]
    folders = [volume for volume in mounted if not volume.endswith(":ro")]
    assert len(set(folders)) == len(folders)
    assert {volume.partition(":")[0] for volume in folders} == COMPOSE["volumes"].keys()
    assert all(any(volume.endswith(":/data") for volume in SERVICES[name]["volumes"]) for name in OURS)


def test_prometheus_asks_where_the_app_answers():
    asked = yaml.safe_load(
        interpolated(COMPOSE["configs"]["prometheus"]["content"], {"SONIFOLD_TOKEN": SECRET})
    )
    (job,) = asked["scrape_configs"]
    host, _, port = job["static_configs"][0]["targets"][0].partition(":")
    assert port == environment_of(host)["SONIFOLD_PORT"]
    assert job["authorization"]["credentials"] == SECRET
    assert job["metrics_path"] == "/metrics"


def test_the_workers_of_a_cluster_see_the_servers_models_where_it_does():
    (folder,) = SERVICES["cluster"]["volumes"]
    assert SERVICES["ray-worker"]["volumes"] == [f"{folder}:ro"]
    addresses = {SERVICES["cluster"]["environment"]["SONIFOLD_RAY_ADDRESS"]}
    for name in ("cluster", "ray-worker"):
        addresses |= set(re.findall(r"--address (\S+)", SERVICES[name]["command"]))
    (port,) = re.findall(r"--port (\S+)", SERVICES["ray-head"]["command"])
    assert addresses == {f"ray-head:{port}"}


@pytest.mark.parametrize(
    ("network", "members"),
    [("ray", {"cluster", "ray-head", "ray-worker"}), ("database", {"cluster", "postgres"})],
)
def test_who_computes_and_the_database_are_reached_by_those_alone_who_need_them(network, members):
    """Whoever reaches Ray can run programs on its machines."""
    assert {
        name for name, service in SERVICES.items() if network in service.get("networks", ["default"])
    } == members
    assert all(not SERVICES[name]["ports"] for name in members - {"cluster"})
