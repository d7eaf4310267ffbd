//! What every backplane does, whatever it is made of.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::{Backplane, BackplaneLink, Channel, Inbox, Outgoing};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Makes the tests of one kind of backplane. The attribute says where they are left out.
macro_rules! suite {
    ($backplane:ident, $(#[$attribute:meta])?) => {
        $crate::cluster::conformance::cases! { ($(#[$attribute])?) $backplane
            what_is_published_reaches_all_who_listen_in_its_order
            what_is_on_another_channel_is_not_heard
            once_a_channel_is_confirmed_nothing_on_it_is_missed
            a_channel_that_was_left_is_not_heard
            every_byte_and_every_size_arrives
            prefixes_keep_installations_apart
            a_wait_that_was_given_up_does_no_harm
        }
    };
}

macro_rules! cases {
    ($attribute:tt $backplane:ident $($case:ident)*) => {
        $($crate::cluster::conformance::case! { $attribute $backplane $case })*
    };
}

macro_rules! case {
    (($(#[$attribute:meta])?) $backplane:ident $case:ident) => {
        #[tokio::test]
        $(#[$attribute])?
        async fn $case() {
            let make: fn(&str) -> _ = $backplane;
            $crate::cluster::conformance::$case(move |prefix| Box::new(make(prefix))).await;
        }
    };
}

pub(crate) use {case, cases, suite};

/// One node's end.
struct End {
    link: Box<dyn BackplaneLink>,
    inbox: Inbox,
}

impl End {
    async fn of(backplane: &dyn Backplane) -> Self {
        let inbox = Inbox::new();
        let link = backplane.connect(inbox.clone()).await.unwrap();
        Self { link, inbox }
    }

    /// Waits for so many messages.
    async fn hear(&self, count: usize) -> Vec<Bytes> {
        let mut heard = Vec::new();
        while heard.len() < count {
            let some = timeout(PATIENCE, self.inbox.take()).await;
            heard.extend(some.unwrap_or_else(|_| panic!("{} of {count} came", heard.len())).payloads);
        }
        heard
    }

    async fn say(&mut self, channel: u16, texts: &[&str]) {
        let messages: Vec<_> = texts.iter().map(|text| message(channel, text.as_bytes())).collect();
        self.link.publish(&messages).await.unwrap();
    }
}

fn channel(number: u16) -> Channel {
    Channel::from_number(number).unwrap()
}

fn message(number: u16, payload: &[u8]) -> Outgoing {
    Outgoing { channel: channel(number), payload: Bytes::copy_from_slice(payload) }
}

/// A prefix that no other test has.
fn prefix() -> String {
    format!("test_{:016x}", rand::random::<u64>())
}

type Make = Box<dyn Backplane>;

pub(crate) async fn what_is_published_reaches_all_who_listen_in_its_order(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let (mut first, mut second) = (End::of(&*backplane).await, End::of(&*backplane).await);
    for end in [&mut first, &mut second] {
        end.link.subscribe(&[channel(1), Channel::ALL]).await.unwrap();
    }
    first.say(1, &["a", "b", "c"]).await;
    first.link.publish(&[Outgoing { channel: Channel::ALL, payload: "d".into() }]).await.unwrap();
    for end in [&first, &second] {
        let mut heard = end.hear(4).await;
        assert_eq!(heard[..3], ["a", "b", "c"], "the order on a channel");
        assert_eq!(heard.pop().unwrap(), "d");
    }
}

pub(crate) async fn what_is_on_another_channel_is_not_heard(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let mut end = End::of(&*backplane).await;
    end.link.subscribe(&[channel(1), channel(255)]).await.unwrap();
    end.say(2, &["not for us"]).await;
    end.say(25, &["not for us either"]).await;
    end.say(1, &["for us"]).await;
    assert_eq!(end.hear(1).await, ["for us"]);
}

pub(crate) async fn once_a_channel_is_confirmed_nothing_on_it_is_missed(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let (mut listener, mut speaker) = (End::of(&*backplane).await, End::of(&*backplane).await);
    for number in 0..50 {
        listener.link.subscribe(&[channel(number)]).await.unwrap();
        speaker.say(number, &["at once"]).await;
        assert_eq!(listener.hear(1).await, ["at once"], "channel {number}");
    }
    let all: Vec<_> = (0..=Channel::OF_USERS).map(channel).collect();
    listener.link.subscribe(&all[50..]).await.unwrap();
    let one_of_each: Vec<_> = all.iter().map(|&channel| Outgoing { channel, payload: "x".into() }).collect();
    speaker.link.publish(&one_of_each).await.unwrap();
    assert_eq!(listener.hear(all.len()).await.len(), all.len());
}

pub(crate) async fn a_channel_that_was_left_is_not_heard(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let mut end = End::of(&*backplane).await;
    end.link.subscribe(&[channel(1), channel(2)]).await.unwrap();
    end.link.unsubscribe(&[channel(1)]).await.unwrap();
    // It is confirmed after what was asked for before.
    end.link.subscribe(&[channel(3)]).await.unwrap();
    end.say(1, &["left"]).await;
    end.say(2, &["kept"]).await;
    assert_eq!(end.hear(1).await, ["kept"]);
    end.link.subscribe(&[channel(1)]).await.unwrap();
    end.say(1, &["again"]).await;
    assert_eq!(end.hear(1).await, ["again"]);
}

pub(crate) async fn every_byte_and_every_size_arrives(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let mut end = End::of(&*backplane).await;
    end.link.subscribe(&[channel(1)]).await.unwrap();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let most = backplane.max_message_bytes().max(1000);
    for length in [1, 256, 1000, most] {
        let payload: Vec<u8> = all_bytes.iter().copied().cycle().take(length).collect();
        end.link.publish(&[message(1, &payload)]).await.unwrap();
        assert_eq!(end.hear(1).await[0], payload, "{length} bytes");
    }
}

pub(crate) async fn prefixes_keep_installations_apart(make: impl Fn(&str) -> Make) {
    let (one, other) = (make(&prefix()), make(&prefix()));
    let (mut ours, mut theirs) = (End::of(&*one).await, End::of(&*other).await);
    for end in [&mut ours, &mut theirs] {
        end.link.subscribe(&[channel(1)]).await.unwrap();
    }
    theirs.say(1, &["theirs"]).await;
    assert_eq!(theirs.hear(1).await, ["theirs"]);
    ours.say(1, &["ours"]).await;
    assert_eq!(ours.hear(1).await, ["ours"]);
}

pub(crate) async fn a_wait_that_was_given_up_does_no_harm(make: impl Fn(&str) -> Make) {
    let backplane = make(&prefix());
    let mut end = End::of(&*backplane).await;
    end.link.subscribe(&[channel(1)]).await.unwrap();
    for _ in 0..20 {
        // It is cancelled while it waits.
        assert!(timeout(Duration::from_millis(1), end.inbox.take()).await.is_err());
    }
    end.say(1, &["a"]).await;
    assert_eq!(end.hear(1).await, ["a"]);
}
