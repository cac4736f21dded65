//! Metrics in the form that Prometheus reads. Nothing is recorded before [`Metrics::install`], which only a server
//! with a metrics listener calls; without it the macros of the crate `metrics` do nothing.
//!
//! No label may carry anything of a request: not a tenant, a user, an id, a name or a path. Such labels give secrets
//! away, and every new value would be one more series in memory for as long as the process lives.

pub mod counts;
mod process;
mod series;

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Recorder as _, gauge};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

pub use series::{Kind, SERIES, Series};

/// How often [`Metrics::upkeep`] is due: what histograms take in between stays in memory until then.
pub const UPKEEP: Duration = Duration::from_secs(1);

/// The recorder of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

/// Why metrics cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not start to record metrics: this process has a recorder already")]
pub struct ForeignRecorder;

impl Metrics {
    /// Records from now on, for the whole process; a second call gives the same recorder. Handles that were taken
    /// from the crate `metrics` before record nothing: call this before anything else is made.
    ///
    /// # Errors
    /// When somebody else has installed a recorder.
    pub fn install() -> Result<Self, ForeignRecorder> {
        static INSTALLED: OnceLock<Option<Metrics>> = OnceLock::new();
        let install = || {
            let (recorder, metrics) = Self::recorder();
            metrics::set_global_recorder(recorder)
                .ok()
                .map(|()| metrics)
        };
        INSTALLED
            .get_or_init(install)
            .clone()
            .ok_or(ForeignRecorder)
    }

    /// A recorder that is not installed, for programs that record otherwise, as tests do.
    pub fn recorder() -> (PrometheusRecorder, Self) {
        process::begin();
        let recorder = SERIES
            .iter()
            .fold(PrometheusBuilder::new(), with_buckets)
            .build_recorder();
        for Series { name, kind, help } in SERIES {
            let (name, help) = ((*name).into(), (*help).into());
            match kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Histogram(_) => recorder.describe_histogram(name, None, help),
            }
        }
        let handle = recorder.handle();
        (recorder, Self { handle })
    }

    /// Everything as of now, in the text format of Prometheus, version 0.0.4.
    pub fn render(&self) -> String {
        counts::publish();
        process::publish();
        gauge!("keyway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        self.handle.render()
    }

    /// Puts what histograms have taken in into their buckets. Due every [`UPKEEP`].
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

fn with_buckets(builder: PrometheusBuilder, series: &Series) -> PrometheusBuilder {
    match series.kind {
        Kind::Histogram(buckets) => builder
            .set_buckets_for_metric(Matcher::Full(series.name.to_owned()), buckets)
            .expect("no list of buckets is empty"),
        Kind::Counter | Kind::Gauge => builder,
    }
}
