//! What nodes over one database must not keep for themselves.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use shardcast::api::{Oidc, OidcSettings};
use shardcast::auth::{Authorization, Exchange, Identity, IdentityError, IdentityProvider, Pkce};
use shardcast::server::{FirstUser, Node, NodeConfig, NodeParts, Server, ServerConfig};
use shardcast::store::{Database, Sqlite};

/// Whoever comes back from it is `ann`, with the code `nonce|key` that the test read from the URL.
#[derive(Debug)]
struct TestProvider;

#[async_trait]
impl IdentityProvider for TestProvider {
    async fn authorize_url(&self, request: Authorization<'_>) -> Result<String, IdentityError> {
        let (Pkce::Verifier(key) | Pkce::Challenge(key)) = request.pkce;
        Ok(format!("http://provider.invalid/?state={}&code={}-{key}", request.state, request.nonce))
    }

    async fn identify(&self, exchange: Exchange<'_>) -> Result<Identity, IdentityError> {
        if exchange.code != format!("{}-{}", exchange.nonce, exchange.verifier) {
            return Err(IdentityError::Refused("it is another code".into()));
        }
        let issuer = "http://provider.invalid".to_owned();
        Ok(Identity { issuer, subject: "7".to_owned(), username: Some("ann".to_owned()) })
    }
}

async fn open(database: &Arc<dyn Database>) -> (Node, Option<FirstUser>) {
    let mut config = NodeConfig::default();
    config.password_cost = 4;
    let oidc = Oidc::new(Arc::new(TestProvider), OidcSettings::default());
    Node::open_with(Arc::clone(database), config, NodeParts::default().with_oidc(oidc)).await.unwrap()
}

/// Starts a node, and returns its URL.
async fn start(database: &Arc<dyn Database>) -> (Server, String) {
    let (node, _) = open(database).await;
    let mut config = ServerConfig::default();
    config.listen_address = "127.0.0.1".into();
    config.port = 0;
    let server = Server::bind(config, node.router(), node.hub().clone()).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    (server, url)
}

/// A client that follows no redirect.
fn http() -> reqwest::Client {
    drop(crate::harness::http());
    reqwest::Client::builder().redirect(Policy::none()).build().unwrap()
}

async fn two_nodes() -> ([(Server, String); 2], tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gotify.db");
    let database: Arc<dyn Database> = Arc::new(Sqlite::open(file.to_str().unwrap()).await.unwrap());
    ([start(&database).await, start(&database).await], folder)
}

#[tokio::test]
async fn a_browsers_login_is_ended_once_on_another_node_than_it_was_begun_on() {
    let ([(_a, a), (_b, b)], _folder) = two_nodes().await;
    let http = http();
    let begun = http.get(format!("{a}/auth/oidc/login?name=kitchen")).send().await.unwrap();
    assert_eq!(begun.status(), 302);
    let cookie = begun.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let back = begun.headers()[LOCATION].to_str().unwrap().split_once('?').unwrap().1.to_owned();
    let come_back = async |node: &str, cookie: &str| {
        let callback = http.get(format!("{node}/auth/oidc/callback?{back}"));
        callback.header(COOKIE, cookie).send().await.unwrap()
    };
    let other_browser = "gotify-oidc=0123456789abcdef0123456789abcdef";
    assert_eq!(come_back(&b, other_browser).await.status(), 401);
    let ended = come_back(&b, &cookie).await;
    assert_eq!(ended.status(), 307);
    let session = ended.headers()[SET_COOKIE].to_str().unwrap();
    let user = http.get(format!("{a}/current/user")).header(COOKIE, session.split(';').next().unwrap());
    assert!(user.send().await.unwrap().text().await.unwrap().contains(r#""name":"ann""#));
    for node in [&a, &b] {
        let again = come_back(node, &cookie).await;
        assert_eq!(again.status(), 401, "{node}");
        let text = again.text().await.unwrap();
        assert_eq!(text, "failed to get state: unknown or expired state\n");
    }
}

#[tokio::test]
async fn an_apps_login_is_ended_once_on_another_node_than_it_was_begun_on() {
    let ([(_a, a), (_b, b)], _folder) = two_nodes().await;
    let http = http();
    let request = serde_json::json!({"code_challenge": "key", "redirect_uri": "app:/", "name": "phone"});
    let begun = http.post(format!("{a}/auth/oidc/external/authorize")).body(request.to_string());
    let begun: serde_json::Value = serde_json::from_str(
        &begun.header("Content-Type", "application/json").send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    let code = begun["authorize_url"].as_str().unwrap().split_once("&code=").unwrap().1;
    let request = serde_json::json!({"code": code, "state": begun["state"], "code_verifier": "key"});
    for (node, status) in [(&b, 200), (&a, 400), (&b, 400)] {
        let exchange = http.post(format!("{node}/auth/oidc/external/token")).body(request.to_string());
        let answer = exchange.header("Content-Type", "application/json").send().await.unwrap();
        assert_eq!(answer.status(), status, "{node}");
    }
}

/// Starts five nodes on an empty database at the same moment: each makes the schema if it is the first.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn five_nodes_start_at_once(config: shardcast::store::DatabaseConfig) {
    let start = async || {
        let database: Arc<dyn Database> = shardcast::store::open(&config).await.unwrap();
        let (node, first_user) = open(&database).await;
        let key = database.login_key(&rand::random::<[u8; 32]>()).await.unwrap();
        let users = database.users().await.unwrap();
        node.close().await;
        (first_user, key, users)
    };
    let started = tokio::join!(start(), start(), start(), start(), start());
    let started = [started.0, started.1, started.2, started.3, started.4];
    let told = started.iter().filter(|(first_user, ..)| first_user.is_some()).count();
    assert_eq!(told, 1, "one node prints the password");
    for (_, key, users) in &started {
        assert_eq!((users.len(), key), (1, &started[0].1));
        assert!(users[0].admin);
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn five_nodes_that_start_at_once_make_one_administrator_with_postgres() {
    use shardcast::store::{DatabaseConfig, Dialect};
    let connection = crate::databases::postgres().await;
    Box::pin(five_nodes_start_at_once(DatabaseConfig::new(Dialect::Postgres, connection))).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn five_nodes_that_start_at_once_make_one_administrator_with_mariadb() {
    use shardcast::store::{DatabaseConfig, Dialect};
    let connection = crate::databases::mysql().await;
    Box::pin(five_nodes_start_at_once(DatabaseConfig::new(Dialect::Mysql, connection))).await;
}
