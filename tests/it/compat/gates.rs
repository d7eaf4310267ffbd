//! Who may do what: every endpoint with every kind of credential, in every place.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shardcast::auth;
use shardcast::model::Compatibility;
use shardcast::store::{NewClient, UpdateUser};

use crate::harness::{Person, TestServer};

/// What a request carries.
#[derive(Clone, Copy, Debug)]
enum SentCredentials {
    Nothing,
    Unknown,
    Application(CredentialPlace),
    Client(CredentialPlace),
    ElevatedClient,
    ExpiredClient,
    Password,
    WrongPassword,
    UnknownUser,
    PasswordAndApplication,
    WrongPasswordAndClient,
    WrongPasswordAndApplication,
}

#[derive(Clone, Copy, Debug)]
enum CredentialPlace {
    Query,
    Header,
    Bearer,
    Cookie,
}

use CredentialPlace::{Bearer, Cookie, Header, Query};
use SentCredentials::{
    Application, Client, ElevatedClient, ExpiredClient, Nothing, Password, PasswordAndApplication, Unknown,
    UnknownUser, WrongPassword, WrongPasswordAndApplication, WrongPasswordAndClient,
};

const ALL: [SentCredentials; 18] = [
    Nothing,
    Unknown,
    Application(Query),
    Application(Header),
    Application(Bearer),
    Application(Cookie),
    Client(Query),
    Client(Header),
    Client(Bearer),
    Client(Cookie),
    ElevatedClient,
    ExpiredClient,
    Password,
    WrongPassword,
    UnknownUser,
    PasswordAndApplication,
    WrongPasswordAndClient,
    WrongPasswordAndApplication,
];

/// Every endpoint behind the clients' gate, in a form that changes nothing, and what it answers who may pass.
const BEHIND_CLIENT: [(&str, &str, u16); 12] = [
    ("GET", "/message", 200),
    ("DELETE", "/message", 200),
    ("DELETE", "/message/7777", 404),
    ("GET", "/application", 200),
    ("POST", "/application", 400),
    ("PUT", "/application/7777", 404),
    ("GET", "/application/7777/message", 404),
    ("DELETE", "/application/7777/message", 404),
    ("GET", "/client", 200),
    ("POST", "/client", 400),
    ("PUT", "/client/7777", 404),
    ("GET", "/current/user", 200),
];

/// As [`BEHIND_CLIENT`], for what Gotify 3 lets only elevated clients do.
const BEHIND_ELEVATED: [(&str, &str, u16); 5] = [
    ("DELETE", "/application/7777", 404),
    ("PUT", "/application/7777/security", 404),
    ("DELETE", "/client/7777", 404),
    ("POST", "/client/7777/elevate?durationSeconds=1", 404),
    ("POST", "/current/user/password", 400),
];

async fn start(compatibility: Compatibility) -> (TestServer, Person) {
    let server = TestServer::start_with(|config| config.api.compatibility = compatibility).await;
    let ann = server.person("ann").await;
    (server, ann)
}

#[tokio::test]
async fn clients_and_passwords_pass_the_clients_gate_and_nobody_else() {
    for compatibility in Compatibility::ALL {
        let (server, ann) = start(compatibility).await;
        for (method, path, granted) in BEHIND_CLIENT {
            for carries in ALL {
                let expected = match carries {
                    Client(_)
                    | ElevatedClient
                    | Password
                    | PasswordAndApplication
                    | WrongPasswordAndClient => granted,
                    _ => 401,
                };
                let status = status(&server, &ann, method, path, carries).await;
                assert_eq!(status, expected, "{compatibility} {method} {path} {carries:?}");
            }
        }
    }
}

/// Every endpoint behind the administrators' gate, as [`BEHIND_CLIENT`].
const BEHIND_ADMIN: [(&str, &str, u16); 4] = [
    ("GET", "/user", 200),
    ("GET", "/user/7777", 404),
    ("POST", "/user/7777", 400),
    ("DELETE", "/user/7777", 404),
];

#[tokio::test]
async fn only_administrators_pass_their_gate() {
    let server = TestServer::start().await;
    let (ann, admin) = (server.person("ann").await, server.person("root").await);
    let promotion = UpdateUser { name: "root".to_owned(), admin: true, password_hash: None };
    server.store.database().update_user(admin.user.id, promotion).await.unwrap();
    for (method, path, granted) in BEHIND_ADMIN {
        for carries in ALL {
            let (of_admin, of_ann) = match carries {
                Client(_) | ElevatedClient | Password | PasswordAndApplication | WrongPasswordAndClient => {
                    (granted, 403)
                }
                _ => (401, 401),
            };
            let answered = status(&server, &admin, method, path, carries).await;
            assert_eq!(answered, of_admin, "{method} {path} {carries:?}");
            let answered = status(&server, &ann, method, path, carries).await;
            assert_eq!(answered, of_ann, "{method} {path} {carries:?}");
        }
    }
}

#[tokio::test]
async fn only_what_is_elevated_passes_the_gate_of_gotify_3_to_what_is_dangerous() {
    for compatibility in Compatibility::ALL {
        let (server, ann) = start(compatibility).await;
        for (method, path, granted) in BEHIND_ELEVATED {
            for carries in ALL {
                let expected = match carries {
                    ElevatedClient | Password | PasswordAndApplication => granted,
                    Client(_) | WrongPasswordAndClient if compatibility == Compatibility::V2 => granted,
                    Client(_) | WrongPasswordAndClient => 403,
                    _ => 401,
                };
                let status = status(&server, &ann, method, path, carries).await;
                assert_eq!(status, expected, "{compatibility} {method} {path} {carries:?}");
            }
        }
    }
}

#[tokio::test]
async fn in_gotify_2_only_applications_send_and_a_right_password_is_forbidden_to() {
    let (server, ann) = start(Compatibility::V2).await;
    for carries in ALL {
        let expected = match carries {
            Application(_) | WrongPasswordAndApplication => 200,
            Password | PasswordAndApplication => 403,
            _ => 401,
        };
        let status = status(&server, &ann, "POST", "/message?message=hi", carries).await;
        assert_eq!(status, expected, "{carries:?}");
    }
}

#[tokio::test]
async fn in_gotify_3_whoever_has_applications_sends_with_them() {
    let (server, ann) = start(Compatibility::V3).await;
    let path = format!("/message?message=hi&appid={}", ann.application.id);
    for carries in ALL {
        let expected = match carries {
            Nothing | Unknown | ExpiredClient | WrongPassword | UnknownUser => 401,
            _ => 200,
        };
        assert_eq!(status(&server, &ann, "POST", &path, carries).await, expected, "{carries:?}");
    }
}

#[tokio::test]
async fn the_first_place_that_holds_a_token_decides() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let (good, bad) = (ann.client.token.as_str(), "Cunknown");
    let key = |token: &str| ("X-Gotify-Key".to_owned(), token.to_owned());
    let bearer = |token: &str| ("Authorization".to_owned(), format!("Bearer {token}"));
    for (query, headers, expected) in [
        (good, vec![key(bad), bearer(bad)], 200),
        (bad, vec![key(good), bearer(good)], 401),
        ("", vec![key(good), bearer(bad)], 200),
        ("", vec![key(bad), bearer(good)], 401),
        ("", vec![key(""), bearer(good)], 200),
    ] {
        let answer = server.send("GET", &format!("/client?token={query}"), &headers, "").await;
        assert_eq!(answer.status, expected, "{query:?} {headers:?}");
    }
}

#[tokio::test]
async fn refusals_have_gotifys_texts() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let basic = [("Authorization".to_owned(), basic(&ann, &ann.password))];
    let forbidden = server.send("POST", "/message?message=hi", &basic, "").await;
    assert_eq!(forbidden.json()["errorDescription"], "you are not allowed to access this api");
    let unauthorized = server.send("POST", "/message?message=hi", &[], "").await;
    assert_eq!(
        unauthorized.json()["errorDescription"],
        "you need to provide a valid access token or user credentials to access this api"
    );
    assert_eq!(unauthorized.header("www-authenticate"), None);
}

#[tokio::test]
async fn a_used_token_is_noted_soon() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    assert_eq!(status(&server, &ann, "GET", "/current/user", Client(Header)).await, 200);
    assert_eq!(status(&server, &ann, "POST", "/message?message=hi", Application(Header)).await, 200);
    let noted = async {
        loop {
            let client = server.store.database().client(ann.client.id).await.unwrap().unwrap();
            let application = server.store.database().application(ann.application.id).await.unwrap().unwrap();
            if client.row.last_used.is_some() && application.row.last_used.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), noted).await.expect("both uses are noted");
}

fn basic(person: &Person, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{password}", person.user.name)))
}

async fn status(
    server: &TestServer,
    person: &Person,
    method: &str,
    path: &str,
    carries: SentCredentials,
) -> u16 {
    let (application, client) = (person.application.token.as_str(), person.client.token.as_str());
    let another = match carries {
        ElevatedClient => another_client(server, person, 0).await,
        ExpiredClient => another_client(server, person, 1).await,
        _ => String::new(),
    };
    let (token, password) = match carries {
        Nothing => (None, None),
        Unknown => (Some(("Cunknown_______", Header)), None),
        Application(place) => (Some((application, place)), None),
        Client(place) => (Some((client, place)), None),
        ElevatedClient | ExpiredClient => (Some((another.as_str(), Header)), None),
        Password => (None, Some(basic(person, &person.password))),
        WrongPassword => (None, Some(basic(person, "wrong"))),
        UnknownUser => (None, Some(format!("Basic {}", BASE64_STANDARD.encode("nobody:secret")))),
        PasswordAndApplication => (Some((application, Header)), Some(basic(person, &person.password))),
        WrongPasswordAndClient => (Some((client, Header)), Some(basic(person, "wrong"))),
        WrongPasswordAndApplication => (Some((application, Header)), Some(basic(person, "wrong"))),
    };
    let mut target = path.to_owned();
    let mut headers: Vec<_> =
        password.map(|password| ("Authorization".to_owned(), password)).into_iter().collect();
    match token {
        Some((token, Query)) => {
            target.push(if path.contains('?') { '&' } else { '?' });
            target.extend(["token=", token]);
        }
        Some((token, Header)) => headers.push(("X-Gotify-Key".to_owned(), token.to_owned())),
        Some((token, Bearer)) => headers.push(("Authorization".to_owned(), format!("Bearer {token}"))),
        Some((token, Cookie)) => {
            headers.push(("Cookie".to_owned(), format!("gotify-client-token={token}")));
        }
        None => {}
    }
    server.send(method, &target, &headers, "").await.status
}

/// Makes a client that was made so many hours ago, elevated for two hours from then, to expire after one.
async fn another_client(server: &TestServer, person: &Person, hours: i64) -> String {
    let made_at = chrono::Local::now().fixed_offset() - chrono::TimeDelta::hours(hours);
    let token = auth::client_token(&mut rand::rng());
    let new = NewClient {
        elevated_until: Some(made_at + chrono::TimeDelta::hours(2)),
        expires_after_inactivity_seconds: 3600,
        ..NewClient::new(person.user.id, token.as_str(), "another", made_at)
    };
    server.store.database().create_client(new).await.unwrap();
    token
}
