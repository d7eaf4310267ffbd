"""The files of benchmark/monitoring against each other, and against a Prometheus that reads real servers."""

import contextlib
import json
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / "benchmark" / "monitoring"
# How long a server, or Prometheus, may take for anything.
PATIENCE_S = 60
# What a user may choose in Grafana, and what Grafana fills in: four times the scrape interval here.
VARIABLES = {"$__rate_interval": "4s", "$instance": ".*", "$shards": ".*"}
# The name of a metric in a query.
METRIC = re.compile(r"\b(?:up|(?:websocket|shardcast|process)_[a-z_]+)\b(?!\()")


def main():
    server, bench = sys.argv[1:]
    dashboards = read_dashboards()
    check_provisioning(dashboards)
    check_alerts_are_tested()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {shards: free_port() for shards in (64, 1024)}
        for shards, port in ports.items():
            start_server(stack, folder, server, shards, port)
        prometheus = start_prometheus(stack, folder, ports)
        start_load(stack, bench, ports)
        check_metrics_exist(dashboards, ports)
        check_queries(dashboards, prometheus)
        check_rules(prometheus)
    print("all well")


def read_dashboards():
    dashboards = {path.name: json.loads(path.read_text()) for path in (MONITORING / "grafana/dashboards").glob("*.json")}
    assert dashboards, "there are no dashboards"
    uids = [dashboard["uid"] for dashboard in dashboards.values()]
    assert len(set(uids)) == len(uids), f"two dashboards have the same uid: {uids}"
    return dashboards


def queries(dashboard):
    """Yields the panel's title and the query of each target."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["targets"], f"`{panel['title']}` asks nothing"
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def check_provisioning(dashboards):
    sources = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    uids = {source["uid"] for source in sources}
    for name, dashboard in dashboards.items():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids), f"{name}: two panels have the same id"
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        for item in panels + dashboard["templating"]["list"]:
            assert item["datasource"]["uid"] in uids, f"{name}: `{item.get('title', item.get('name'))}` has no source"
    rows = [panel["title"] for panel in dashboards["shards.json"]["panels"] if panel["type"] == "row"]
    assert rows == ["Resources", "Success", "Errors"], rows

    compose = yaml.safe_load((ROOT / "docker-compose.benchmark.yml").read_text())["services"]
    mounts = dict(mount.split(":")[:2] for name in ("grafana", "prometheus") for mount in compose[name]["volumes"])
    for source, place in mounts.items():
        assert not source.startswith("./") or (ROOT / source).exists(), f"Compose mounts {source}, which is not there"
    provider = yaml.safe_load((MONITORING / "grafana/provisioning/dashboards/shardcast.yml").read_text())["providers"][0]
    assert provider["options"]["path"] == mounts["./benchmark/monitoring/grafana/dashboards"], provider
    assert sources[0]["url"] == "http://prometheus:9090", sources
    scraped = {t for job in prometheus_yml()["scrape_configs"] for group in job["static_configs"] for t in group["targets"]}
    assert scraped == {f"{name}:80" for name in compose if name.startswith("gotify-")}, scraped
    print("the files fit each other")


def check_alerts_are_tested():
    alerts = {rule["alert"] for group in load("alerts.yml")["groups"] for rule in group["rules"]}
    cases = [case for test in load("alerts.test.yml")["tests"] for case in test["alert_rule_test"]]
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert alerts == fired == quiet, f"not every alert is tested: {alerts ^ fired or alerts ^ quiet}"
    print(f"{len(alerts)} alerts fire, and are quiet with a healthy server")


def start_server(stack, folder, server, shards, port):
    home = folder / str(shards)
    home.mkdir()
    environment = {
        **os.environ,
        "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
        "GOTIFY_SERVER_PORT": str(port),
        "GOTIFY_SERVER_STREAM_SHARDCOUNT": str(shards),
        "GOTIFY_METRICS_ENABLED": "true",
        "GOTIFY_METRICS_LISTENADDR": "main",
        "GOTIFY_DEFAULTUSER_NAME": "admin",
        "GOTIFY_DEFAULTUSER_PASS": "admin",
        "GOTIFY_PASSSTRENGTH": "4",
    }
    start(stack, [server], home, environment)
    wait_for(f"the server with {shards} shards", lambda: get(f"http://127.0.0.1:{port}/health"))


def start_prometheus(stack, folder, ports):
    """Starts Prometheus with the project's own file, but for where the servers are and how often it looks."""
    config = prometheus_yml()
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(MONITORING / file) for file in config["rule_files"]]
    for job in config["scrape_configs"]:
        groups = [group for group in job["static_configs"] if int(group["labels"]["shards"]) in ports]
        for group in groups:
            group["targets"] = [f"127.0.0.1:{ports[int(group['labels']['shards'])]}"]
        job["static_configs"] = groups
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(config))
    port = free_port()
    home = folder / "prometheus"
    home.mkdir()
    arguments = [f"--config.file={file}", f"--storage.tsdb.path={home}", f"--web.listen-address=127.0.0.1:{port}"]
    start(stack, ["prometheus", *arguments], home, dict(os.environ))
    address = f"http://127.0.0.1:{port}"
    wait_for("Prometheus", lambda: get(f"{address}/-/ready"))
    wait_for("the servers' metrics", lambda: len(query(address, "up == 1")) == len(ports))
    return address


def start_load(stack, bench, ports):
    """Sends messages until the checks are done."""
    targets = [part for shards, port in ports.items() for part in ("--against", f"{shards}=http://127.0.0.1:{port}")]
    # Each server has its turn twice a few seconds, so that a rate over four of them sees both.
    load = [*targets, "fanout", "--streams", "20", "--messages", "5", "--interval-ms", "100", "--rounds", "1000"]
    start(stack, [bench, *load], ROOT, dict(os.environ))


def check_metrics_exist(dashboards, ports):
    """Names that no server has would be empty panels for ever."""
    exposed = set()
    for port in ports.values():
        exposed |= set(re.findall(r"^([a-z_]+)", get(f"http://127.0.0.1:{port}/metrics"), re.MULTILINE))
    rules = [(rule["alert"], rule["expr"]) for group in load("alerts.yml")["groups"] for rule in group["rules"]]
    asked = rules + [item for dashboard in dashboards.values() for item in queries(dashboard)]
    unknown = {(title, name) for title, expr in asked for name in METRIC.findall(expr) if name not in exposed | {"up"}}
    assert not unknown, f"no server has what these ask for: {sorted(unknown)}"


def check_queries(dashboards, prometheus):
    count = 0
    empty = []
    for name, dashboard in sorted(dashboards.items()):
        for title, expr in queries(dashboard):
            for variable, value in VARIABLES.items():
                expr = expr.replace(variable, value)
            assert "$" not in expr, f"{name}: `{title}` has a variable that is not known: {expr}"
            count += 1
            try:
                wait_for(expr, lambda: any(is_number(sample) for sample in query(prometheus, expr)), seconds=20)
            except TimeoutError:
                empty.append(f"{name}: `{title}`: {expr}")
        for variable in dashboard["templating"]["list"]:
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
            values = {sample["metric"].get(label) for sample in query(prometheus, metric)}
            assert values and None not in values, f"{name}: the variable `{variable['name']}` has no values"
    assert not empty, "no data:\n" + "\n".join(empty)
    print(f"{count} queries of {len(dashboards)} dashboards return data")


def check_rules(prometheus):
    groups = json.loads(get(f"{prometheus}/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert rules, "Prometheus has loaded no rules"
    bad = [rule["name"] for rule in rules if rule["health"] != "ok"]
    assert not bad, f"rules that Prometheus could not evaluate: {bad}"
    print(f"{len(rules)} alert rules are evaluated")


def query(prometheus, expr):
    answer = json.loads(get(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"))
    assert answer["status"] == "success", f"{expr}: {answer}"
    return answer["data"]["result"]


def is_number(sample):
    return math.isfinite(float(sample["value"][1]))


def start(stack, arguments, folder, environment):
    """Starts a program that is ended with the stack; its output comes only if it fails."""
    log = open(folder / "log" if folder != ROOT else os.devnull, "wb")
    process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=log, stderr=log)

    def end():
        code = process.poll()
        if code is not None:
            print(f"`{arguments[0]}` had ended with {code}")
            if folder != ROOT:
                print((folder / "log").read_text()[-2000:])
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        log.close()

    stack.callback(end)


def wait_for(what, is_there, seconds=PATIENCE_S):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if is_there():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not after {seconds} s")
        time.sleep(0.2)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def load(file):
    return yaml.safe_load((MONITORING / file).read_text())


def prometheus_yml():
    return load("prometheus.yml")


if __name__ == "__main__":
    main()
