//! `/shardcast/search`: searching messages.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use chrono::DateTime;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{shortened, whole_number};
use super::compression::compressed;
use super::error::ErrorObject;
use super::listing::{AnswerMemory, FirstPart};
use super::openapi::errors::NO_LIST_MEMORY;
use super::paging::{PagedMessages, Paging};
use super::path::unsigned;
use super::query::{all, first, present};
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth};
use crate::model::{ApplicationId, Timestamp, zero_time};
use crate::store::{MOST_SEARCH_WORDS, MessageSearch, SearchError, SearchWord, Store};

/// So many applications may be named.
const MOST_APPLICATIONS: usize = 100;

/// The parameters beside those of the page.
const NAMES: [&str; 5] = ["text", "appid", "minpriority", "from", "to"];

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(compressed(get_only(routes!(search))))
}

/// Searches messages, and lists those that have all that is asked for, the newest first.
///
/// Without any parameter it lists all messages.
#[utoipa::path(
    get, path = "/shardcast/search", operation_id = "searchMessages", tag = "message",
    params(SearchParameters),
    responses(
        (status = 200, body = PagedMessages),
        (status = 503, body = ErrorObject, description = "Many messages were stored that are not in the index yet: \
            `the search index is still being made, try again in a moment`."),
        (status = 503, body = ErrorObject, description = "The search took three seconds, or too many others were \
            searching: `the search took too long, try again or search for less`."),
        (status = 503, description = NO_LIST_MEMORY, body = ErrorObject),
    )
)]
async fn search(
    client: ClientAuth,
    SearchParameters { search, paging }: SearchParameters,
    State(store): State<Store>,
    State(memory): State<AnswerMemory>,
) -> Result<Response, ApiError> {
    let page = paging.newest_first()?;
    let part = FirstPart::reserve(&memory).await?;
    let found = store.database().search_messages(client.user_id, &search, page, FirstPart::MAX_BYTES).await?;
    Ok(paging.answer(part, store, found))
}

/// What is searched for, and which page of it is asked for.
struct SearchParameters {
    search: MessageSearch,
    paging: Paging,
}

impl FromRequestParts<AppState> for SearchParameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let paging = Paging::from_request_parts(parts, state).await?;
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self { search: read(query)?, paging: paging.keeping(query, &NAMES) })
    }
}

/// Reads what is searched for. An id that is no application of the user is taken, and selects nothing.
fn read(query: &str) -> Result<MessageSearch, ApiError> {
    let bad = ApiError::BadRequest;
    let mut applications = Vec::new();
    for value in all(query, "appid") {
        let id = whole_number("appid", present("appid", &value)?).map_err(bad)?;
        applications.push(ApplicationId(id));
    }
    let count = applications.len();
    if count > MOST_APPLICATIONS {
        let text =
            format!("Field 'appid' must be given at most {MOST_APPLICATIONS} times, not {count} times");
        return Err(bad(text));
    }
    let min_priority = match first(query, "minpriority") {
        Some(value) => Some(whole_number("minpriority", present("minpriority", &value)?).map_err(bad)?),
        None => None,
    };
    let time = |name| first(query, name).map(|value| time(name, &value)).transpose();
    let search = MessageSearch {
        words: words(&first(query, "text").unwrap_or_default())?,
        applications,
        min_priority,
        from: time("from")?,
        to: time("to")?,
    };
    match (search.from, search.to) {
        (Some(from), Some(to)) if from > to => {
            Err(bad("Field 'from' must not be later than 'to'".to_owned()))
        }
        _ => Ok(search),
    }
}

/// Reads the words; none in an empty text.
fn words(text: &str) -> Result<Vec<SearchWord>, ApiError> {
    let words = SearchWord::all(text);
    if words.len() > MOST_SEARCH_WORDS {
        let text = format!("Field 'text' must have at most {MOST_SEARCH_WORDS} words, not {}", words.len());
        return Err(ApiError::BadRequest(text));
    }
    if words.is_empty() && !text.trim().is_empty() {
        let text = format!("Field 'text' must have a letter or a digit, not {:?}", shortened(text));
        return Err(ApiError::BadRequest(text));
    }
    Ok(words)
}

/// Reads a time. A `+` that was not escaped is a space here.
fn time(name: &str, value: &str) -> Result<Timestamp, ApiError> {
    let value = value.trim();
    let read = DateTime::parse_from_rfc3339(value);
    let read = read.or_else(|_| DateTime::parse_from_rfc3339(&value.replace(' ', "+")));
    // No database has an earlier one.
    read.map(|time| time.max(zero_time())).map_err(|_| {
        let value = shortened(value);
        ApiError::BadRequest(format!(
            "Field '{name}' must be a time such as 2026-01-31T18:00:00Z or 2026-01-31T18:00:00%2B01:00, not {value:?}"
        ))
    })
}

impl From<SearchError> for ApiError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Store(error) => error.into(),
            SearchError::NotIndexed => {
                Self::NoSearch("the search index is still being made, try again in a moment")
            }
            SearchError::TooSlow => Self::NoSearch("the search took too long, try again or search for less"),
        }
    }
}

impl IntoParams for SearchParameters {
    fn into_params(of: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: RefOr<Schema>| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.description(Some(description)).schema(Some(schema)).build()
        };
        let format = |format| Some(SchemaFormat::KnownFormat(format));
        let time = || ObjectBuilder::new().schema_type(Type::String).format(format(KnownFormat::DateTime));
        let ids = ArrayBuilder::new().items(unsigned().build()).max_items(Some(MOST_APPLICATIONS));
        let priority = ObjectBuilder::new().schema_type(Type::Integer).format(format(KnownFormat::Int64));
        let mut parameters = vec![
            parameter(
                "text",
                "Words that must all be in the title or the text, in any case, with or without accents. `*` after a \
                 word stands for any end. Whatever is no letter and no digit of any script separates words. At most 32 \
                 words; a text that is not empty has at least one.",
                ObjectBuilder::new().schema_type(Type::String).into(),
            ),
            parameter(
                "appid",
                "Only messages of the application with this id. Given several times: of any of them.",
                ids.into(),
            ),
            parameter("minpriority", "Only messages with at least this priority.", priority.into()),
            parameter("from", "Only messages from this time on.", time().into()),
            parameter("to", "Only messages before this time.", time().into()),
        ];
        parameters.extend(Paging::into_params(of).into_iter().filter(|parameter| parameter.name != "after"));
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(query: &str) -> Option<String> {
        read(query).err().map(|error| error.to_string())
    }

    #[test]
    fn everything_may_be_left_out() {
        assert_eq!(read("").unwrap(), MessageSearch::default());
        assert_eq!(read("text=+&limit=3").unwrap(), MessageSearch::default());
    }

    #[test]
    fn all_of_it_is_read() {
        let query = "text=Disk+f*&appid=1&appid=2&minpriority=-3&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00%2B01:00";
        let time = |text| Some(DateTime::parse_from_rfc3339(text).unwrap());
        let expected = MessageSearch {
            words: SearchWord::all("disk f*"),
            applications: vec![ApplicationId(1), ApplicationId(2)],
            min_priority: Some(-3),
            from: time("2026-01-01T00:00:00Z"),
            to: time("2026-01-02T00:00:00+01:00"),
        };
        assert_eq!(read(query).unwrap(), expected);
        assert_eq!(read(&query.replace("%2B", "+")).unwrap(), expected, "a plus sign that was not escaped");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many_ids = vec!["appid=1"; MOST_APPLICATIONS + 1].join("&");
        let many_words: Vec<_> = (0..=MOST_SEARCH_WORDS).map(|word| format!("w{word}")).collect();
        for (query, text) in [
            ("text=%21*", "Field 'text' must have a letter or a digit, not \"!*\""),
            (&format!("text={}", many_words.join("+")), "Field 'text' must have at most 32 words, not 33"),
            ("appid=x", "Field 'appid' must be a whole number from 0 to 18446744073709551615, not \"x\""),
            ("appid=1&appid=", "Field 'appid' must be a whole number or left out, not \"\""),
            (&many_ids, "Field 'appid' must be given at most 100 times, not 101 times"),
            ("minpriority=", "Field 'minpriority' must be a whole number or left out, not \"\""),
            (
                "from=yesterday",
                "Field 'from' must be a time such as 2026-01-31T18:00:00Z or 2026-01-31T18:00:00%2B01:00, \
                 not \"yesterday\"",
            ),
            (
                "to=2026-13-01T00:00:00Z",
                "Field 'to' must be a time such as 2026-01-31T18:00:00Z or 2026-01-31T18:00:00%2B01:00, \
                 not \"2026-13-01T00:00:00Z\"",
            ),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "Field 'from' must not be later than 'to'"),
        ] {
            assert_eq!(refusal(query).as_deref(), Some(text), "{query}");
        }
    }
}
