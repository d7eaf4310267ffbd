//! Kinds of metrics, and how each is registered.

use std::{marker::PhantomData, time::Duration};

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector,
};

use super::labels::Labels;

/// Steps of a decade, in tenths: neighbours differ by half, so that a quantile is known to a few tenths.
const STEPS: [f64; 6] = [10.0, 15.0, 22.0, 33.0, 47.0, 68.0];

/// The decades of [`Seconds`], each by what its steps are divided by: 10 µs to 6.8 s.
const DECADES: [f64; 6] = [1e6, 1e5, 1e4, 1e3, 1e2, 1e1];

/// The last bound of [`Seconds`]: what takes longer has been given up by whoever waits for it.
const LONGEST_SECONDS: f64 = 10.0;

/// A metric that can be registered under a name.
pub(super) trait Family {
    /// Registers it, with every combination of its labels at 0.
    fn register(registry: &Registry, name: &str, help: &str) -> Self;
}

/// Puts a metric into the registry.
pub(super) fn registered<C: Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
) -> C {
    let metric = made.expect("the names and labels are ours, and valid");
    registry.register(Box::new(metric.clone())).expect("the names are ours, and distinct");
    metric
}

impl Family for IntCounter {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        registered(registry, Self::new(name, help))
    }
}

impl Family for IntGauge {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        registered(registry, Self::new(name, help))
    }
}

/// A metric for each combination of labels, found by its place.
pub(super) struct LabeledMetrics<L, M>(Box<[M]>, PhantomData<fn(L)>);

impl<L: Labels, M> LabeledMetrics<L, M> {
    /// Returns the metric of these labels.
    pub(super) fn of(&self, labels: L) -> &M {
        &self.0[labels.place()]
    }
}

impl<L: Labels> Family for LabeledMetrics<L, IntCounter> {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        let family = registered(registry, IntCounterVec::new(Opts::new(name, help), L::NAMES));
        Self(L::all().iter().map(|values| family.with_label_values(values)).collect(), PhantomData)
    }
}

impl<L: Labels> Family for LabeledMetrics<L, Gauge> {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        let family = registered(registry, GaugeVec::new(Opts::new(name, help), L::NAMES));
        Self(L::all().iter().map(|values| family.with_label_values(values)).collect(), PhantomData)
    }
}

/// The version that runs, and the name of the node.
pub(super) struct Info(IntGaugeVec);

impl Info {
    /// Says that it runs on a node with this name; an empty one if it has none.
    pub(super) fn set(&self, node: &str) {
        self.0.reset();
        self.0.with_label_values(&[env!("CARGO_PKG_VERSION"), node]).set(1);
    }
}

impl Family for Info {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        Self(registered(registry, IntGaugeVec::new(Opts::new(name, help), &["version", "node"])))
    }
}

/// A histogram of times.
#[derive(Debug)]
pub(super) struct Seconds(Histogram);

impl Seconds {
    pub(super) fn observe(&self, time: Duration) {
        self.0.observe(time.as_secs_f64());
    }
}

impl Family for Seconds {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        // A whole number divided by another gives the number that is written 0.22, where 2.2 / 10 does not.
        let bounds = DECADES.iter().flat_map(|parts| STEPS.map(|step| step / parts));
        Self(histogram(registry, name, help, bounds.chain([LONGEST_SECONDS])))
    }
}

/// A histogram of how many messages a transaction holds, to its bound.
#[derive(Debug)]
pub(super) struct Messages(Histogram);

impl Messages {
    pub(super) fn observe(&self, messages: usize) {
        self.0.observe(super::exact(messages));
    }
}

impl Family for Messages {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        let bounds = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
        Self(histogram(registry, name, help, bounds.map(f64::from)))
    }
}

/// A histogram of how many streams a pass comes by.
#[derive(Debug)]
pub(super) struct Streams(Histogram);

impl Streams {
    pub(super) fn observe(&self, streams: usize) {
        self.0.observe(super::exact(streams));
    }
}

impl Family for Streams {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        let decades = [1, 10, 100, 1_000, 10_000, 100_000];
        let bounds = decades.into_iter().flat_map(|decade| [1, 2, 5].map(|step| step * decade));
        Self(histogram(registry, name, help, bounds.chain([1_000_000]).map(f64::from)))
    }
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    bounds: impl IntoIterator<Item = f64>,
) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(bounds.into_iter().collect());
    registered(registry, Histogram::with_opts(options))
}
