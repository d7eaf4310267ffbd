#!/usr/bin/env python3
"""k6's scripts against a server that has one fault at a time: each fault must miss the thresholds that are about it.

    tests/k6/checks.py K6 [SCRIPT...]

K6 is the program. Without a SCRIPT all of them run, as `websocket-simple`. Needs Python 3.9 and nothing else; takes
about a minute. Ends with 1 if a run missed other thresholds than it should.
"""

import asyncio
import json
import pathlib
import sys
import tempfile

from server import FAULTS, Server

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "benchmark" / "k6"
AT_A_TIME = 8
RUN_SECONDS = 120

# Enough for a run: a few streams, a few messages.
VARIABLES = {
    "websocket-simple": {"VUS": 4, "DURATION": "3s", "USERS": 4, "PATIENCE": "2s"},
    "websocket-test": {"STAGES": "1s:10,4s:10", "STREAMS_PER_VU": 5, "HOLD": "3s", "RATE": 5, "USERS": 2},
    "connection-scaling": {"SCALE": 12, "CONNECT_RATE": 6, "HOLD": "4s", "STREAMS_PER_VU": 4, "RATE": 5, "USERS": 2},
    "message-throughput": {"RATES": "5", "STEP": "3s", "STREAMS": 10, "STREAMS_PER_VU": 5},
    "echo": {"STAGES": "1s:4,2s:4", "INTERVAL_MS": 50},
}
# After how many messages the streams have been counted, and faults of messages may begin.
BEFORE = {"websocket-simple": 4, "websocket-test": 12, "connection-scaling": 24, "message-throughput": 4, "echo": 0}
# A machine that does other work must not miss these.
PATIENT = {"P95_MS": 5000, "CONNECT_P95_MS": 5000}
STREAMS = ("websocket-test", "connection-scaling", "message-throughput")
WITH_MESSAGES = ("websocket-simple", *STREAMS)

# Each fault: which metrics must miss their thresholds, in which scripts.
EXPECTED = {
    "none": {script: set() for script in VARIABLES},
    "refused": {
        "websocket-simple": {"connect_success", "delivery_success", "checks"},
        "websocket-test": {"connect_success", "open_at_once", "checks"},
        "connection-scaling": {"connect_success", "open_at_once", "streams_open", "checks"},
        "message-throughput": {"connect_success", "open_at_once", "streams_open", "checks"},
        "echo": {"connect_success", "checks"},
    },
    "silent": {
        "websocket-simple": {"connect_success", "delivery_success", "checks"},
        "connection-scaling": {"connect_success", "open_at_once", "streams_open", "checks"},
        "message-throughput": {"connect_success", "open_at_once", "streams_open", "checks"},
    },
    "closed": {
        "websocket-simple": {"broken_streams", "delivery_success", "checks"},
        **{script: {"broken_streams", "delivery_success"} for script in STREAMS},
        "echo": {"broken_streams", "echo_success"},
    },
    "rubbish": {script: {"bad_frames"} for script in WITH_MESSAGES},
    "missing": {
        "websocket-simple": {"delivery_success", "checks"},
        **{script: {"delivery_success"} for script in STREAMS},
    },
    "mute": {
        "websocket-simple": {"delivery_success", "checks"},
        **{script: {"delivery_success"} for script in STREAMS},
    },
    "twice": {script: {"duplicates"} for script in STREAMS},
    "unstored": {
        "websocket-simple": {"publish_success", "delivery_success", "checks"},
        **{script: {"publish_success", "delivery_success", "checks"} for script in STREAMS},
    },
    "late": {script: {"delivery_latency"} for script in WITH_MESSAGES},
    "slow": {script: {"connect_time"} for script in ("websocket-test", "connection-scaling")},
    "altered": {"echo": {"echo_success", "checks"}},
    "unechoed": {"echo": {"echo_success", "checks"}},
}
# What is counted once, however k6 reports it.
COUNTED = {("closed", "broken_streams"): 1, ("rubbish", "bad_frames"): 3, ("twice", "duplicates"): 1}


class Unusable(Exception):
    """A run that ended without a result, or not at all."""


async def run(k6, script, fault, folder):
    """Runs a script. Returns the metrics that missed their thresholds, and the figures."""
    server = Server(fault, BEFORE[script])
    await server.listen()
    result = folder / f"{script}-{fault}.json"
    variables = {
        "BASE_URL": f"http://127.0.0.1:{server.port}", "ECHO_URL": f"ws://127.0.0.1:{server.port}/ws",
        "RESULT": result, **PATIENT, **VARIABLES[script],
    }
    if fault == "late":
        variables["P95_MS"] = 250
    if fault == "slow":
        variables["CONNECT_P95_MS"] = 250
    command = [k6, "run", "--quiet", "--no-usage-report", "--address", ""]
    for name, value in variables.items():
        command += ["--env", f"{name}={value}"]
    process = await asyncio.create_subprocess_exec(
        *command, SCRIPTS / f"{script}.js", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), RUN_SECONDS)
    except asyncio.TimeoutError:
        process.kill()
        raise Unusable(f"has not ended after {RUN_SECONDS} s") from None
    # 99: a threshold was missed.
    if process.returncode not in (0, 99) or not result.exists():
        raise Unusable(f"ended with {process.returncode}: {output.decode()}")
    document = json.loads(result.read_text())
    missed = {text.split(": ", 1)[1].split(" ")[0] for text in document["faults"]}
    if (process.returncode == 99) != bool(missed):
        raise Unusable(f"ended with {process.returncode}, and missed {sorted(missed)}")
    return missed, document["cases"][0]["rounds"][0]


async def check(k6, script, fault, folder, places):
    """Runs a script, and returns what is not as it should be."""
    problems = []
    expected = EXPECTED[fault][script]
    missed, figures = expected, {}
    async with places:
        try:
            missed, figures = await run(k6, script, fault, folder)
        except Unusable as reason:
            problems.append(str(reason))
    if missed != expected:
        problems.append(f"missed {sorted(missed) or 'nothing'}, and not {sorted(expected) or 'nothing'}")
    for (which, figure), count in COUNTED.items():
        if which == fault and figures.get(figure) != count:
            problems.append(f"`{figure}` is {figures.get(figure)}, and not {count}")
    print(f"{script:20} {fault:10} {'; '.join(problems) or 'as it should be'}", flush=True)
    return problems


async def main(k6, scripts):
    """Runs every script with every fault that is about it."""
    places = asyncio.Semaphore(AT_A_TIME)
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            check(k6, script, fault, pathlib.Path(folder), places)
            for fault in FAULTS for script in EXPECTED[fault] if script in scripts
        ]
        problems = [problem for found in await asyncio.gather(*runs) for problem in found]
    print(f"{len(runs)} runs, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(VARIABLES):
        sys.exit(f"usage: {sys.argv[0]} K6 [{'|'.join(VARIABLES)}...]")
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2:] or list(VARIABLES))))
