//! Pages of messages: newest first as in Gotify, or with `after` oldest first. The next page is asked for with the last id
//! of this one.

use axum::extract::{FromRef, FromRequestParts, NestedPath};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::ApiError;
use super::body::{whole_number, whole_number_of};
use super::external_base::ExternalBase;
use super::json::write_json;
use super::listing::{FirstPart, Rows};
use super::path::unsigned;
use super::query::first;
use crate::model::{ApplicationId, Compatibility, Message, MessageId, UserId};
use crate::store::{Database, MessagePage, Slice, Store, StoreError};

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 200;

/// What the database has listed.
type Listed = Result<Slice<Message, MessageId>, StoreError>;

/// Which page is asked for, and where.
pub(super) struct Paging {
    limit: usize,
    start: Start,
    /// The URL of this request without its query: absolute as in Gotify 2, or a path as in Gotify 3.
    url: String,
    /// What follows on the parameters of the page in the URL of the next one: nothing, or `&name=value`.
    kept: String,
}

/// Where a page begins, and in which direction it goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// With the newest message below this id, or of all messages if it is 0, then older ones.
    Since(u64),
    /// With the oldest message above this id, then newer ones.
    After(u64),
}

/// A page of messages, the newest first; with `after` the oldest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of an answer that is written a part at a time")]
pub(super) struct PagedMessages {
    /// Where this page stands.
    paging: PagePosition,
    /// The messages, in descending order of their ids; with `after` in ascending order.
    messages: Vec<Message>,
}

/// The place of a page among all pages.
#[derive(Serialize, ToSchema)]
#[schema(as = Paging)]
struct PagePosition {
    /// The URL of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
    /// How many messages there are on this page.
    size: usize,
    /// The id of the last message on this page, which the next one is asked for with; 0 on the last page, and if the
    /// page was asked for with `after`.
    since: u64,
    /// Only if the page was asked for with `after`: the id of its last message, or of the request if it has none. The
    /// messages that follow on it are asked for with this id, also those that are stored after the last page was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    after: Option<u64>,
    /// How many messages were asked for.
    limit: usize,
}

impl Paging {
    /// Lists the messages of a user: one more than asked for, which tells whether there is a next page.
    pub(super) async fn list_of_user(&self, database: &dyn Database, user: UserId) -> Listed {
        let (limit, bytes) = (self.limit + 1, FirstPart::MAX_BYTES);
        match self.start {
            Start::Since(id) => database.list_messages(user, page_before(id, limit), bytes).await,
            Start::After(id) => database.list_messages_after(user, MessageId(id), limit, bytes).await,
        }
    }

    /// As [`Self::list_of_user`], for the messages of an application.
    pub(super) async fn list_of_application(&self, database: &dyn Database, of: ApplicationId) -> Listed {
        let (limit, bytes) = (self.limit + 1, FirstPart::MAX_BYTES);
        match self.start {
            Start::Since(id) => database.list_application_messages(of, page_before(id, limit), bytes).await,
            Start::After(id) => {
                database.list_application_messages_after(of, MessageId(id), limit, bytes).await
            }
        }
    }

    /// Makes the URL of the next page keep the other parameters of those names.
    pub(super) fn keeping(mut self, query: &str, names: &[&str]) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        for (name, value) in pairs.filter(|(name, _)| names.contains(&&**name)) {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            self.kept.extend(["&", &*name, "=", &value]);
        }
        self
    }

    /// Returns the page, for a list that only goes from the newest message to the oldest: one message more than asked
    /// for, which tells whether there is a next page.
    pub(super) fn newest_first(&self) -> Result<MessagePage, ApiError> {
        match self.start {
            Start::Since(id) => Ok(page_before(id, self.limit + 1)),
            Start::After(_) => Err(ApiError::BadRequest(
                "Field 'after' must be left out: the newest messages come first; use 'since'".to_owned(),
            )),
        }
    }

    /// Answers with what was listed.
    pub(super) fn answer(
        &self,
        part: FirstPart,
        store: Store,
        mut found: Slice<Message, MessageId>,
    ) -> Response {
        let head = encode_head(&self.place(&mut found));
        part.answer((head, "]}"), StoredMessages(store), found)
    }

    /// Says where a page stands, and takes the message off that only tells whether there is a next one.
    fn place(&self, found: &mut Slice<Message, MessageId>) -> PagePosition {
        let has_next = found.rows.len() + found.left_out.len() > self.limit;
        if has_next && found.left_out.pop().is_none() {
            found.rows.pop();
        }
        let last = found.left_out.last().map(|row| row.id).or_else(|| found.rows.last().map(|row| row.id));
        let (name, since, after) = match self.start {
            Start::Since(_) => ("since", last.filter(|_| has_next).map_or(0, |last| last.0), None),
            Start::After(id) => ("after", 0, Some(last.map_or(id, |last| last.0))),
        };
        let next = has_next.then(|| {
            let at = after.unwrap_or(since);
            format!("{}?limit={}&{name}={at}{}", self.url, self.limit, self.kept)
        });
        let size = found.rows.len() + found.left_out.len();
        PagePosition { next, size, since, after, limit: self.limit }
    }
}

fn page_before(id: u64, limit: usize) -> MessagePage {
    MessagePage { before: (id > 0).then_some(MessageId(id)), limit }
}

/// The JSON of a page up to its messages.
fn encode_head(place: &PagePosition) -> Vec<u8> {
    let mut head = br#"{"paging":"#.to_vec();
    write_json(&mut head, place);
    head.extend_from_slice(br#","messages":["#);
    head
}

/// The messages of a page.
pub(super) struct StoredMessages(pub(super) Store);

impl Rows for StoredMessages {
    type Id = MessageId;
    type Row = Message;

    fn id(row: &Message) -> MessageId {
        row.id
    }

    async fn read(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        self.0.database().messages_by_id(ids).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging
where
    Compatibility: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let compatibility = Compatibility::from_ref(state);
        let query = parts.uri.query().unwrap_or_default();
        let limit = match first(query, "limit") {
            Some(limit) => whole_number_of((1, MAX_LIMIT), "limit", &limit).map_err(ApiError::BadRequest)?,
            None => DEFAULT_LIMIT,
        };
        let id = |name| {
            let id = first(query, name).map(|id| whole_number(name, &id));
            id.transpose().map_err(ApiError::BadRequest)
        };
        let start = match (id("since")?, id("after")?) {
            (since, None) => Start::Since(since.unwrap_or_default()),
            (None, Some(after)) => Start::After(after),
            (Some(since), Some(after)) => {
                return Err(ApiError::BadRequest(format!(
                    "Field 'after' must not be given with 'since': 'since={since}' lists messages before that id, \
                     'after={after}' those after it"
                )));
            }
        };
        if limit > MAX_LIMIT {
            return Err(ApiError::BadRequest(format!("Field 'limit' must be less or equal to {MAX_LIMIT}")));
        }
        let limit = usize::try_from(limit).ok().filter(|&limit| limit >= 1);
        let limit = limit
            .ok_or_else(|| ApiError::BadRequest("Field 'limit' must be more or equal to 1".to_owned()))?;
        let url = url(parts, compatibility != Compatibility::V3);
        Ok(Self { limit, start, url, kept: String::new() })
    }
}

impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: Object| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.description(Some(description)).schema(Some(schema)).build()
        };
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_LIMIT));
        let limit = limit.default(Some(DEFAULT_LIMIT.into()));
        let since = unsigned().default(Some(0.into()));
        let after =
            "Only messages with greater ids, the oldest first; 0 for the oldest. Not together with `since`.";
        vec![
            parameter("limit", "How many messages to return at most.", limit.build()),
            parameter("since", "Only messages with smaller ids; 0 for the newest.", since.build()),
            parameter("after", after, unsigned().build()),
        ]
    }
}

/// Returns the URL that the client used, of the messages before these: absolute, or from its path on.
fn url(parts: &Parts, is_absolute: bool) -> String {
    let ExternalBase { scheme, host, prefix } = ExternalBase::of(&parts.headers, &parts.extensions);
    let nested_at = parts.extensions.get::<NestedPath>().map_or("", NestedPath::as_str).trim_end_matches('/');
    let path = parts.uri.path();
    if is_absolute {
        format!("{scheme}://{host}{prefix}{nested_at}{path}")
    } else {
        format!("{prefix}{nested_at}{path}")
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::api::ConnectionKind;
    use crate::store::LeftOut;

    /// What a handler's state is to these tests.
    #[derive(Clone)]
    struct Profile(Compatibility);

    impl FromRef<Profile> for Compatibility {
        fn from_ref(profile: &Profile) -> Self {
            profile.0
        }
    }

    const V2: Profile = Profile(Compatibility::V2);
    const V3: Profile = Profile(Compatibility::V3);

    async fn paging(uri: &str, headers: &[(&str, &str)]) -> Result<Paging, String> {
        paging_in(V2, uri, headers).await
    }

    async fn paging_in(profile: Profile, uri: &str, headers: &[(&str, &str)]) -> Result<Paging, String> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        Paging::from_request_parts(&mut parts, &profile).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn the_next_page_is_an_absolute_url() {
        let paging = paging("/message?limit=1&x=2", &[("host", "push.example")]).await.unwrap();
        let place = |rows: Vec<Message>, left_out: &[u64]| {
            let left_out = left_out.iter().map(|&id| LeftOut { id: MessageId(id), bytes: 1 }).collect();
            let mut found = Slice { rows, left_out };
            let place = paging.place(&mut found);
            assert_eq!(found.rows.len() + found.left_out.len(), 1);
            place
        };
        let more = place(vec![Message::any(9), Message::any(8)], &[]);
        assert_eq!(more.next.as_deref(), Some("http://push.example/message?limit=1&since=9"));
        assert_eq!((more.size, more.since), (1, 9));
        assert_eq!(place(vec![Message::any(9)], &[8]).since, 9);
        assert_eq!(place(vec![], &[9, 8]).since, 9);
        let last = place(vec![Message::any(8)], &[]);
        assert_eq!((last.next, last.size, last.since, last.after), (None, 1, 0, None));
    }

    #[tokio::test]
    async fn a_trusted_proxy_says_which_url_the_client_used() {
        let headers = [
            ("host", "inner"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "push.example:8443"),
            ("x-forwarded-prefix", "/gotify"),
        ];
        assert_eq!(paging("/message", &headers).await.unwrap().url, "http://inner/message");
        for (profile, expected) in [(V2, "https://push.example:8443/gotify/message"), (V3, "/gotify/message")]
        {
            let mut request = Request::builder().uri("/message").extension(ConnectionKind::new(false, true));
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let mut parts = request.body(()).unwrap().into_parts().0;
            assert_eq!(Paging::from_request_parts(&mut parts, &profile).await.unwrap().url, expected);
        }
    }

    #[tokio::test]
    async fn gotify_3_names_the_path_alone() {
        let headers = [("host", "inner")];
        assert_eq!(paging_in(V3, "/message?limit=1", &headers).await.unwrap().url, "/message");
    }

    #[tokio::test]
    async fn the_next_page_is_below_the_path_that_the_api_is_nested_at() {
        let api = Router::new().route("/message", get(|paging: Paging| async { paging.url }));
        let request = Request::builder().uri("/push/message").header("host", "push.example");
        let app = Router::new().nest("/push", api.with_state(V2));
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let url = to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(url, "http://push.example/push/message");
    }

    #[tokio::test]
    async fn limits_are_kept() {
        for (query, limit, start) in [
            ("", 100, Start::Since(0)),
            ("?limit=200&since=7", 200, Start::Since(7)),
            ("?limit=1&after=7", 1, Start::After(7)),
            ("?after=0", 100, Start::After(0)),
        ] {
            let paging = paging(&format!("/message{query}"), &[]).await.unwrap();
            assert_eq!((paging.limit, paging.start), (limit, start));
        }
        for (query, text) in [
            ("limit=0", "Field 'limit' must be more or equal to 1"),
            ("limit=", "Field 'limit' must be more or equal to 1"),
            ("limit=-3", "Field 'limit' must be more or equal to 1"),
            ("limit=201", "Field 'limit' must be less or equal to 200"),
            ("limit=x&since=-1", "Field 'limit' must be a whole number from 1 to 200, not \"x\""),
            (
                "limit=0&since=-1",
                "Field 'since' must be a whole number from 0 to 18446744073709551615, not \"-1\"",
            ),
            ("after=x", "Field 'after' must be a whole number from 0 to 18446744073709551615, not \"x\""),
            (
                "since=9&after=5",
                "Field 'after' must not be given with 'since': 'since=9' lists messages before that id, \
                 'after=5' those after it",
            ),
        ] {
            assert_eq!(paging(&format!("/message?{query}"), &[]).await.err().as_deref(), Some(text));
        }
    }
}
