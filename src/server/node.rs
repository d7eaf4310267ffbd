//! Everything behind the listener: the store over a database, the hub, and the API over both.

mod changes;
mod drain;

use std::{fmt, path::PathBuf, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::StreamConfig;
#[cfg(feature = "cluster")]
use crate::api::{event, stream::frame_of_another_node};
use crate::cluster::Cluster;
#[cfg(feature = "cluster")]
use crate::cluster::{Backplane, ClusterConfig, ClusterParts, ComparisonRequest};
use crate::push::Push;
#[cfg(feature = "push")]
use crate::push::{OpenPushError, PushConfig};
#[cfg(feature = "cluster")]
use crate::store::Heads;
use crate::{
    api::{
        self, ApiSettings, AppParts, AppState, Boundary, CorsConfig, MAX_USER_NAME_CHARACTERS, Oidc,
        Readiness, RequestObserver,
        stream::{AllowedOrigins, OriginPatternError, Replays, SessionLimits, StoredBacklog, StreamState},
    },
    auth::{
        Authenticate, Authenticator, AuthenticatorParts, ClientExpiry, Clock, HashPasswordError, LoginLimits,
        LoginObserver, Passwords, Revocation, RevocationReader, StoredCredentials, random_password,
    },
    hub::{Hub, HubConfig, HubParts, Observer},
    model::Message,
    store::{
        Database, ImageFolder, ImageStorage, Images, IndexCounts, NewMessage, NewUser, PublishError,
        PublishObserver, Store, StoreError, StoredImages,
    },
};
pub use drain::DrainConfig;

/// Which node has answered, in every answer of a node that has a name.
const NODE: HeaderName = HeaderName::from_static("x-shardcast-node");

/// What a node is made of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeConfig {
    /// The name of this node among others. Default empty.
    pub name: String,
    /// How streams are kept.
    pub stream: StreamConfig,
    /// Limits of the API, and what it says about itself.
    pub api: ApiSettings,
    /// Where the applications' pictures are kept. Default: as files of a folder.
    pub images: ImageStorage,
    /// The folder of the applications' pictures, made with the first of them. Default `data/images`.
    pub images_folder: PathBuf,
    /// Which foreign pages may use the API. Default none.
    pub cors: CorsConfig,
    /// What every answer of the API carries besides. Default none.
    pub response_headers: HeaderMap,
    /// How messages are pushed to browsers. Default none: they are not.
    #[cfg(feature = "push")]
    pub push: Option<PushConfig>,
    /// bcrypt's cost for new passwords. Default 10.
    pub password_cost: u32,
    /// How many wrong names and passwords are taken.
    pub login_limits: LoginLimits,
    /// The name of the administrator that the first start makes. Default `admin`.
    pub first_user: String,
    /// Its password. Default empty: a random one is made.
    pub first_password: SecretString,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            stream: StreamConfig::default(),
            api: ApiSettings::default(),
            images: ImageStorage::default(),
            images_folder: "data/images".into(),
            cors: CorsConfig::default(),
            response_headers: HeaderMap::new(),
            #[cfg(feature = "push")]
            push: None,
            password_cost: 10,
            login_limits: LoginLimits::default(),
            first_user: "admin".to_owned(),
            first_password: SecretString::default(),
        }
    }
}

with_methods!(NodeConfig {
    with_name(name: impl Into<String>),
    with_stream(stream: StreamConfig),
    with_api(api: ApiSettings),
    with_images(images: ImageStorage),
    with_images_folder(images_folder: impl Into<PathBuf>),
    with_cors(cors: CorsConfig),
    with_response_headers(response_headers: HeaderMap),
    #[cfg(feature = "push")]
    with_push(push: impl Into<Option<PushConfig>>),
    with_password_cost(password_cost: u32),
    with_login_limits(login_limits: LoginLimits),
    with_first_user(first_user: impl Into<String>),
    with_first_password(first_password: impl Into<SecretString>),
});

/// What a node may be given besides its configuration. The default looks into the database for who is asking, and
/// has nobody who watches.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct NodeParts {
    /// Who knows who is asking. Default: a [`StoredCredentials`] of the node's database.
    pub authenticate: Option<Arc<dyn Authenticate>>,
    /// The identity provider that users may log in through. Default none.
    pub oidc: Option<Oidc>,
    /// Where the applications' pictures are kept. Default: what [`NodeConfig::images`] says.
    pub images: Option<Arc<dyn Images>>,
    /// What carries messages between this node and others over the same database. Default none: there are no others.
    #[cfg(feature = "cluster")]
    pub backplane: Option<Arc<dyn Backplane>>,
    /// The observer of streams. Default none.
    pub observer: Option<Arc<dyn Observer>>,
    /// The observer of messages on their way to the database. Default none.
    pub publish_observer: Option<Arc<dyn PublishObserver>>,
    /// The observer of answers to requests. Default none.
    pub request_observer: Option<Arc<dyn RequestObserver>>,
    /// The observer of logins. Default none.
    pub login_observer: Option<Arc<dyn LoginObserver>>,
    /// What tells which clients have expired. Default: the machine's clock.
    pub clock: Clock,
}

with_methods!(NodeParts {
    with_authenticate(authenticate: Arc<dyn Authenticate>),
    with_oidc(oidc: Oidc),
    with_images(images: Arc<dyn Images>),
    #[cfg(feature = "cluster")]
    with_backplane(backplane: Arc<dyn Backplane>),
    with_observer(observer: Arc<dyn Observer>),
    with_publish_observer(publish_observer: Arc<dyn PublishObserver>),
    with_request_observer(request_observer: Arc<dyn RequestObserver>),
    with_login_observer(login_observer: Arc<dyn LoginObserver>),
    with_clock(clock: Clock),
});

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database can't be used.
    #[error("failed to look for users in the database")]
    Database(#[source] StoreError),
    /// The database can't be used for pictures.
    #[error("failed to look for pictures in the database")]
    Images(#[source] StoreError),
    /// An allowed origin is not a regular expression.
    #[error("failed to read the allowed origins")]
    Origins(#[source] OriginPatternError),
    /// There is a backplane, and a database that only one node can use.
    #[error("several nodes can't share this database: each file of SQLite belongs to one node")]
    NotShared,
    /// Messages can't be pushed.
    #[cfg(feature = "push")]
    #[error("failed to prepare Web Push")]
    Push(#[source] OpenPushError),
    /// The name of the first user can't be used.
    #[error(
        "the name of the first user must have 1 to {MAX_USER_NAME_CHARACTERS} characters, not {characters}"
    )]
    FirstUserName {
        /// How many it has.
        characters: usize,
    },
    /// The password of the first user can't be used.
    #[error("failed to make the first user")]
    FirstUser(#[source] HashPasswordError),
}

/// One node: it stores messages and brings them to its streams. Dropping it ends the streams; [`Node::close`] ends
/// it well.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use std::sync::Arc;
/// use shardcast::{
///     external::chrono::Local,
///     server::{Node, NodeConfig},
///     store::{Database, NewApplication, NewMessage, Sqlite},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("gotify.db");
/// # let file = file.to_str().unwrap();
/// let database: Arc<dyn Database> = Arc::new(Sqlite::open(file).await?);
/// let (node, first_user) = Node::open(Arc::clone(&database), NodeConfig::default()).await?;
/// assert_eq!(first_user.unwrap().name, "admin");
///
/// // Publish without HTTP: it takes a user and an application of theirs.
/// let admin = database.user_by_name("admin").await?.unwrap().user;
/// let now = Local::now().fixed_offset();
/// let application = database.create_application(NewApplication {
///     user_id: admin.id,
///     token: "Abackup".to_owned(),
///     name: "backup".to_owned(),
///     description: String::new(),
///     default_priority: 0,
///     sort_key: None,
///     created_at: now,
/// }).await?;
/// let stored = node.publish(NewMessage {
///     user_id: admin.id,
///     application_id: application.id,
///     message: "done".to_owned(),
///     title: "Backup".to_owned(),
///     priority: 5,
///     extras: None,
///     date: now,
/// }).await?;
/// println!("message {} is durable", stored.id);
/// node.close().await;
/// # Ok(())
/// # }
/// ```
pub struct Node {
    store: Store,
    pub(super) state: AppState,
}

/// The administrator that a first start has made.
#[derive(Debug)]
pub struct FirstUser {
    /// Its name.
    pub name: String,
    /// Its password, if it was made up: nobody else knows it.
    pub made_up_password: Option<SecretString>,
}

impl Node {
    /// Starts the hub and the writer on a database; makes the first user if there is none.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or if the number of shards is not a power of two from 1 to 4096.
    pub async fn open(
        database: Arc<dyn Database>,
        config: NodeConfig,
    ) -> Result<(Self, Option<FirstUser>), OpenError> {
        Self::open_with(database, config, NodeParts::default()).await
    }

    /// As [`Node::open`], with parts of your own.
    ///
    /// # Panics
    ///
    /// As [`Node::open`].
    pub async fn open_with(
        database: Arc<dyn Database>,
        config: NodeConfig,
        parts: NodeParts,
    ) -> Result<(Self, Option<FirstUser>), OpenError> {
        let passwords = Passwords::new(config.password_cost);
        let first_user = first_user(&*database, &passwords, &config).await?;
        let highest_cost = database.highest_password_cost().await.map_err(OpenError::Database)?;
        if let Some(cost) = highest_cost {
            passwords.refuse_as_slowly_as(cost);
        }

        #[cfg(feature = "cluster")]
        if parts.backplane.is_some() && parts.images.is_none() && config.images == ImageStorage::Folder {
            tracing::warn!(
                "pictures are in the folder `{}`, and each node shows those of its own folder: use \
                 `uploadedimages: database`, or a folder that all nodes share",
                config.images_folder.display()
            );
        }
        let images: Arc<dyn Images> = match (parts.images, config.images) {
            (Some(images), _) => images,
            (None, ImageStorage::Folder) => Arc::new(ImageFolder::open(config.images_folder).await),
            (None, ImageStorage::Database) => {
                let stored = StoredImages::open(Arc::clone(&database), &config.images_folder).await;
                Arc::new(stored.map_err(OpenError::Images)?)
            }
        };
        let clock = parts.clock;
        let authenticate = parts.authenticate.unwrap_or_else(|| {
            Arc::new(StoredCredentials::with_clock(Arc::clone(&database), passwords.clone(), clock))
        });
        let auth_parts = AuthenticatorParts {
            limits: config.login_limits,
            observer: parts.login_observer.unwrap_or_else(|| Arc::new(())),
            clock,
        };
        let auth = Authenticator::with_parts(authenticate, passwords, auth_parts);
        let hub_parts = HubParts {
            backlog: Some(Arc::new(StoredBacklog::new(Arc::clone(&database)))),
            observer: parts.observer,
            ..HubParts::default()
        };
        let hears_all = !database.can_be_shared();
        let hub = Hub::with_parts(hub_config(&config.stream).with_hears_all(hears_all), hub_parts);
        let replays = Replays::spawn(Arc::clone(&database), hub.clone(), config.stream.replay);
        let expiry = ClientExpiry::spawn(Arc::clone(&database), auth.clone(), hub.clone());
        #[cfg(feature = "cluster")]
        let comparison = Arc::<ComparisonRequest>::default();
        #[cfg(feature = "cluster")]
        let on_unknown = {
            // It also says to the streams that they have missed events.
            let comparison = parts.backplane.is_some().then(|| Arc::clone(&comparison));
            let hub = hub.clone();
            move || match &comparison {
                Some(comparison) => comparison.compare_all(),
                None => hub.miss_events(),
            }
        };
        #[cfg(not(feature = "cluster"))]
        let on_unknown = {
            let hub = hub.clone();
            move || hub.miss_events()
        };
        let (log, rules_changed) = (Arc::clone(&database), Arc::default());
        let told = (on_unknown, Arc::clone(&rules_changed));
        let revocations = RevocationReader::spawn(log, auth.clone(), hub.clone(), told);
        #[cfg(feature = "cluster")]
        let cluster = match parts.backplane {
            Some(_) if !database.can_be_shared() => return Err(OpenError::NotShared),
            Some(backplane) => {
                let revocations = revocations.clone();
                let cluster = ClusterParts {
                    id: rand::random(),
                    backplane,
                    heads: Arc::clone(&database) as Arc<dyn Heads>,
                    hub: hub.clone(),
                    make_frame: Box::new(frame_of_another_node),
                    make_event: event::frame,
                    comparison,
                    on_revoked: Box::new(move || revocations.wake()),
                };
                Some(Cluster::start(cluster, ClusterConfig::new(config.name.as_str())))
            }
            None => None,
        };
        #[cfg(not(feature = "cluster"))]
        let cluster: Option<Cluster> = None;
        #[cfg(feature = "push")]
        let push = match config.push {
            Some(config) => Some(Push::start(Arc::clone(&database), config).await.map_err(OpenError::Push)?),
            None => None,
        };
        #[cfg(not(feature = "push"))]
        let push: Option<Push> = None;
        let index = Arc::new(IndexCounts::new());
        let streams = (hub.clone(), cluster.clone());
        let retention = changes::delete_old(&database, clock, streams, Arc::clone(&index), rules_changed);
        let on_commit = changes::on_commit(hub.clone(), cluster.clone(), push.clone(), retention.clone());
        let observer = parts.publish_observer.unwrap_or_else(|| Arc::new(()));
        let store = Store::with_index(database, on_commit, observer, index);
        let origins = AllowedOrigins::new(&config.stream.allowed_origins).map_err(OpenError::Origins)?;
        let (mut response_headers, mut settings) = (config.response_headers, config.api);
        if let Ok(name) = HeaderValue::from_str(&config.name)
            && !name.is_empty()
        {
            response_headers.insert(NODE, name);
            settings.version.node = Some(config.name);
        }
        let boundary = Boundary::new(&config.cors, response_headers).map_err(OpenError::Origins)?;
        let limits =
            SessionLimits { read_buffer_bytes: config.stream.read_buffer_bytes, ..SessionLimits::default() };
        let state = AppState::from(AppParts {
            store: store.clone(),
            auth,
            readiness: Readiness::default(),
            stream: StreamState {
                hub,
                origins: Arc::new(origins),
                limits: Arc::new(limits),
                max_resume_messages: config.stream.max_resume_messages,
                replays,
                cluster,
            },
            images,
            expiry,
            revocations,
            retention,
            oidc: parts.oidc,
            push,
            settings: Arc::new(settings),
            observer: parts.request_observer.unwrap_or_else(|| Arc::new(())),
            boundary: Arc::new(boundary),
        });
        Ok((Self { store, state }, first_user))
    }

    /// Returns the whole API, to be served or nested into another router.
    pub fn router(&self) -> Router {
        api::router(self.state.clone())
    }

    /// Returns the name of this node; empty if it has none.
    pub fn name(&self) -> &str {
        self.state.settings.version.node.as_deref().unwrap_or_default()
    }

    /// Returns the hub.
    pub fn hub(&self) -> &Hub {
        &self.state.stream.hub
    }

    /// Returns this node's part of the cluster, if there is one.
    #[cfg(feature = "cluster")]
    pub fn cluster(&self) -> Option<&Cluster> {
        self.state.stream.cluster.as_ref()
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Makes the node act at once on a change that was made to the database without the API, and is committed: caches
    /// forget what was deleted or changed, and its streams are closed. Without this call it does so within five seconds.
    pub fn revoke(&self, revocation: &Revocation) {
        self.state.revoke(revocation);
    }

    /// Publishes a message without HTTP: stores it, and brings it to its user's streams. Returns once it is durable,
    /// as a `POST /message` does.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the message either stored, and then brought to the streams, or not.
    pub async fn publish(&self, message: NewMessage) -> Result<Arc<Message>, PublishError> {
        self.store.publish(message).await
    }

    /// Writes what was accepted, and closes the database. Requests that come later are refused.
    pub async fn close(&self) {
        self.store.shutdown().await;
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("state", &self.state).finish_non_exhaustive()
    }
}

impl fmt::Debug for NodeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeParts").field("authenticate", &self.authenticate).finish_non_exhaustive()
    }
}

fn hub_config(config: &StreamConfig) -> HubConfig {
    HubConfig {
        shard_count: config.shard_count,
        ring_messages: config.ring_messages,
        ring_bytes_per_stream: config.write_buffer_bytes,
        max_lag: usize::try_from(config.max_lag).unwrap_or(usize::MAX),
        stall_timeout: config.stall_timeout,
        ping_period: config.ping_period,
        pong_timeout: config.pong_timeout,
        ..HubConfig::default()
    }
}

/// Makes an administrator if there is no user at all.
async fn first_user(
    database: &dyn Database,
    passwords: &Passwords,
    config: &NodeConfig,
) -> Result<Option<FirstUser>, OpenError> {
    if database.user_count().await.map_err(OpenError::Database)? > 0 {
        return Ok(None);
    }
    let characters = config.first_user.chars().count();
    if !(1..=MAX_USER_NAME_CHARACTERS).contains(&characters) {
        return Err(OpenError::FirstUserName { characters });
    }
    let configured = !config.first_password.expose_secret().is_empty();
    let password = if configured { config.first_password.clone() } else { random_password(&mut rand::rng()) };
    let user = NewUser {
        name: config.first_user.clone(),
        password_hash: passwords.hash(password.clone()).await.map_err(OpenError::FirstUser)?,
        admin: true,
        created_at: chrono::Local::now().fixed_offset(),
    };
    let made = database.create_first_user(user).await.map_err(OpenError::Database)?;
    // Another node that starts at the same moment may have made its own first: only that one knows the password.
    Ok(made.map(|user| FirstUser { name: user.name, made_up_password: (!configured).then_some(password) }))
}
