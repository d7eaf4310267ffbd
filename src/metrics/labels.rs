//! Labels, each with all its values: none can come from outside.

use axum::http::StatusCode;

use crate::{api::RouteClass, hub::EndReason, store::PublishOutcome};

/// A combination of labels.
pub(super) trait Labels: Copy {
    /// The labels' names.
    const NAMES: &'static [&'static str];

    /// The values of every combination, in the order of [`Labels::place`].
    fn all() -> Vec<Vec<String>>;

    /// Where this combination is in [`Labels::all`].
    fn place(&self) -> usize;
}

/// One label whose values are the variants of an enum.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident($label:literal) { $($variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name {
            $($variant,)+
        }

        impl Labels for $name {
            const NAMES: &'static [&'static str] = &[$label];

            fn all() -> Vec<Vec<String>> {
                vec![$(vec![$value.to_owned()],)+]
            }

            fn place(&self) -> usize {
                *self as usize
            }
        }
    };
}

label!(
    /// What became of a message.
    Outcome("outcome") { Stored = "stored", Failed = "failed", Refused = "refused" }
);

label!(
    /// A bounded queue.
    Queue("queue") { Inbox = "inbox", Ring = "ring", Writer = "writer" }
);

label!(
    /// A figure over all shards.
    Stat("stat") { Min = "min", Max = "max", Mean = "mean" }
);

label!(
    /// How a check of a name and password came out.
    Login("outcome") { Succeeded = "succeeded", Failed = "failed" }
);

label!(
    /// What a request was about.
    Route("route") {
        Message = "message",
        Stream = "stream",
        Application = "application",
        Client = "client",
        User = "user",
        Other = "other",
    }
);

label!(
    /// The class of a status.
    Class("status") {
        Informational = "1xx",
        Success = "2xx",
        Redirection = "3xx",
        ClientError = "4xx",
        ServerError = "5xx",
    }
);

impl From<PublishOutcome> for Outcome {
    fn from(outcome: PublishOutcome) -> Self {
        match outcome {
            PublishOutcome::Stored => Self::Stored,
            PublishOutcome::Failed => Self::Failed,
            PublishOutcome::Refused => Self::Refused,
        }
    }
}

/// What a request was about, and the class of its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestLabels(Route, Class);

impl RequestLabels {
    pub(super) fn new(route: RouteClass, status: StatusCode) -> Self {
        let route = match route {
            RouteClass::Message => Route::Message,
            RouteClass::Stream => Route::Stream,
            RouteClass::Application => Route::Application,
            RouteClass::Client => Route::Client,
            RouteClass::User => Route::User,
            RouteClass::Other => Route::Other,
        };
        let class = match status.as_u16() {
            ..=199 => Class::Informational,
            200..=299 => Class::Success,
            300..=399 => Class::Redirection,
            400..=499 => Class::ClientError,
            500.. => Class::ServerError,
        };
        Self(route, class)
    }
}

impl Labels for RequestLabels {
    const NAMES: &'static [&'static str] = &[Route::NAMES[0], Class::NAMES[0]];

    fn all() -> Vec<Vec<String>> {
        let classes = Class::all();
        let with_each = |route: Vec<String>| classes.iter().map(move |class| [&route[..], class].concat());
        Route::all().into_iter().flat_map(with_each).collect()
    }

    fn place(&self) -> usize {
        self.0.place() * (Class::ServerError as usize + 1) + self.1.place()
    }
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndLabel(pub(super) EndReason);

impl Labels for EndLabel {
    const NAMES: &'static [&'static str] = &["reason"];

    fn all() -> Vec<Vec<String>> {
        EndReason::ALL.iter().map(|reason| vec![reason.name().replace(' ', "_")]).collect()
    }

    fn place(&self) -> usize {
        self.0.index()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_where_its_place_says() {
        let all = RequestLabels::all();
        assert_eq!(all.len(), 30);
        for (route, class, status) in [
            (RouteClass::Message, StatusCode::OK, "2xx"),
            (RouteClass::Stream, StatusCode::SWITCHING_PROTOCOLS, "1xx"),
            (RouteClass::User, StatusCode::MOVED_PERMANENTLY, "3xx"),
            (RouteClass::Other, StatusCode::NOT_FOUND, "4xx"),
            (RouteClass::Other, StatusCode::SERVICE_UNAVAILABLE, "5xx"),
        ] {
            let values = &all[RequestLabels::new(route, class).place()];
            assert_eq!(values[0], format!("{route:?}").to_lowercase());
            assert_eq!(values[1], status);
        }
        for reason in EndReason::ALL {
            let values = &EndLabel::all()[EndLabel(reason).place()];
            assert_eq!(values[0].replace('_', " "), reason.name());
        }
    }
}
