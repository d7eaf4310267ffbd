//! Which of its user's messages a client asks for.

use axum::http::Uri;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::api::ApiError;
use crate::api::body::whole_number;
use crate::api::path::unsigned;
use crate::api::query::{self, present};
use crate::hub::{ApplicationId, Filter};
use crate::model;
use crate::store::MessageChoice;

/// A stream holds the ids for as long as it lives, and each message is compared with them.
const MOST_APPLICATIONS: usize = 100;

/// The parameters `application` and `minpriority`.
pub(super) struct MessageFilter;

impl MessageFilter {
    /// Reads the filter. An id that is no application of the user is taken, and selects nothing: a filter chooses among
    /// the messages of the stream's own user.
    pub(super) fn read(uri: &Uri) -> Result<Filter, ApiError> {
        let query = uri.query().unwrap_or_default();
        let mut filter = Filter::default();
        let mut applications = Vec::new();
        for value in query::all(query, "application") {
            let id = whole_number("application", present("application", &value)?);
            applications.push(ApplicationId(id.map_err(ApiError::BadRequest)?));
        }
        let count = applications.len();
        if count > MOST_APPLICATIONS {
            return Err(ApiError::BadRequest(format!(
                "Field 'application' must be given at most {MOST_APPLICATIONS} times, not {count} times"
            )));
        }
        if count > 0 {
            filter = filter.with_applications(applications);
        }
        if let Some(value) = query::first(query, "minpriority") {
            let priority = whole_number("minpriority", present("minpriority", &value)?);
            filter = filter.with_min_priority(priority.map_err(ApiError::BadRequest)?);
        }
        Ok(filter)
    }
}

/// What a filter asks for, as the store takes it.
pub(super) fn choice(filter: &Filter) -> MessageChoice {
    let ids = |asked: &Vec<ApplicationId>| asked.iter().map(|id| model::ApplicationId(id.0)).collect();
    MessageChoice { applications: filter.applications.as_ref().map(ids), min_priority: filter.min_priority }
}

impl IntoParams for MessageFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: RefOr<Schema>| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.description(Some(description)).schema(Some(schema)).build()
        };
        let ids = ArrayBuilder::new().items(unsigned().build()).max_items(Some(MOST_APPLICATIONS));
        let priority = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
        vec![
            parameter(
                "application",
                "Only messages of the application with this id. Given several times: of any of them. \
                 Nothing comes for an id that is not an application of the user.",
                ids.into(),
            ),
            parameter("minpriority", "Only messages with at least this priority.", priority.into()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Filter, String> {
        MessageFilter::read(&format!("/stream?{query}").parse().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn applications_may_be_repeated_and_priorities_negative() {
        let all = Filter::default();
        let of = |ids: &[u64]| all.clone().with_applications(ids.iter().copied().map(ApplicationId));
        for (query, expected) in [
            ("", all.clone()),
            ("since=4", all.clone()),
            ("application=3", of(&[3])),
            ("application=3&minpriority=-2&application=18446744073709551615", {
                of(&[3, u64::MAX]).with_min_priority(-2)
            }),
            ("minpriority=5", all.clone().with_min_priority(5)),
        ] {
            assert_eq!(read(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many = vec!["application=1"; MOST_APPLICATIONS + 1].join("&");
        for (query, text) in [
            (
                "application=3&application=-1",
                "Field 'application' must be a whole number from 0 to 18446744073709551615, not \"-1\"",
            ),
            ("application=", "Field 'application' must be a whole number or left out, not \"\""),
            ("minpriority=%20", "Field 'minpriority' must be a whole number or left out, not \"\""),
            (
                "minpriority=high",
                "Field 'minpriority' must be a whole number from -9223372036854775808 to \
                 9223372036854775807, not \"high\"",
            ),
            (many.as_str(), "Field 'application' must be given at most 100 times, not 101 times"),
        ] {
            assert_eq!(read(query), Err(text.to_owned()), "{query}");
        }
    }
}
