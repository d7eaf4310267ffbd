//! Which figures are worth a plot.

use crate::summary::{
    bars::{self, Bars},
    folder::{Folder, Scenario},
    lines,
    samples::{self, Sample},
};

const MIB: f64 = 1_048_576.0;

/// The scenario each plot is taken from, and the plot; in the order of the page.
const BARS: [(&str, Bars); 15] = [
    (
        "idle",
        Bars {
            title: "Memory per stream, idle",
            vertical: "server memory per stream, bytes",
            groups: &[("bytes_per_stream", "")],
        },
    ),
    (
        "idle",
        Bars {
            title: "Connect time: from connecting to the server's 101",
            vertical: "milliseconds",
            groups: &[("connect_p50_ms", "p50"), ("connect_p95_ms", "p95"), ("connect_p99_ms", "p99")],
        },
    ),
    (
        "fanout",
        Bars {
            title: "CPU per delivery, fan-out",
            vertical: "server CPU per delivery, µs",
            groups: &[("cpu_per_delivery_us", "")],
        },
    ),
    (
        "fanout",
        Bars {
            title: "Delivery time, fan-out: from due to received",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "burst",
        Bars {
            title: "Deliveries per second, burst",
            vertical: "deliveries per second",
            groups: &[("deliveries_per_s", "")],
        },
    ),
    (
        "publish",
        Bars {
            title: "Publishes per second, stored durably, no streams",
            vertical: "publishes per second",
            groups: &[("publishes_per_s", "")],
        },
    ),
    (
        "churn",
        Bars {
            title: "Connect time while streams come and go",
            vertical: "milliseconds",
            groups: &[("connect_p50_ms", "p50"), ("connect_p95_ms", "p95"), ("connect_p99_ms", "p99")],
        },
    ),
    ("scale", Bars { title: "Streams open at once", vertical: "streams", groups: &[("streams", "")] }),
    (
        "scale",
        Bars {
            title: "Delivery time to all of them: from due to received",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "k6-simple",
        Bars {
            title: "k6, virtual users that publish to themselves: delivery time",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "k6-ramp",
        Bars {
            title: "k6, a ramp of streams: delivery time",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "k6-scale",
        Bars {
            title: "k6, streams opened and held: delivery time",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "k6-throughput",
        Bars {
            title: "k6, rising rates of messages: delivery time",
            vertical: "milliseconds",
            groups: &[("p50_ms", "p50"), ("p95_ms", "p95"), ("p99_ms", "p99")],
        },
    ),
    (
        "k6-echo",
        Bars {
            title: "k6, echoes: round trip",
            vertical: "milliseconds",
            groups: &[("rtt_p50_ms", "p50"), ("rtt_p95_ms", "p95"), ("rtt_p99_ms", "p99")],
        },
    ),
    (
        "echo-cost",
        Bars {
            title: "Echoes: CPU per message",
            vertical: "server CPU per message, µs",
            groups: &[("cpu_per_message_us", "")],
        },
    ),
];

/// Returns the images that compare servers.
pub(crate) fn compare(scenarios: &[Scenario]) -> Vec<String> {
    let draw = |(kind, bars): &(&str, Bars)| {
        let scenario = scenarios.iter().find(|scenario| scenario.kind == *kind)?;
        bars::draw(bars, scenario)
    };
    BARS.iter().filter_map(draw).collect()
}

/// Returns the images of one folder's samples over time.
pub(crate) fn over_time(folder: &Folder) -> Vec<String> {
    let (all, start) = (&folder.samples, samples::start(&folder.samples));
    let memory = |sample: &Sample| sample.resident_bytes / MIB;
    let plots = [
        ("CPU of each server", "share of a core, %", samples::cpu(all)),
        ("Resident memory of each server", "MiB", samples::levels(all, memory)),
        ("Open files of each server", "open files", samples::levels(all, |sample| sample.open_files)),
    ];
    let draw = |(title, unit, series)| lines::draw(title, unit, &series, &folder.phases, start);
    plots.into_iter().filter_map(draw).collect()
}
