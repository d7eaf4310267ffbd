//! The limits seen from outside: who is let through, and when.

use std::net::Ipv4Addr;
use std::pin::pin;

use futures_util::FutureExt;
use tokio::time::advance;

use super::*;

fn limiter() -> LoginLimiter {
    LoginLimiter::new(&LoginLimits {
        failures_per_address: 3,
        failures_per_name: 5,
        window: Duration::from_mins(1),
    })
}

/// An address of its own for each number.
fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, number).into()
}

async fn fail(limiter: &LoginLimiter, from: impl Into<Option<IpAddr>>, name: &str) {
    drop(limiter.attempt(from.into(), name).await.expect("this one may still be made"));
}

async fn succeed(limiter: &LoginLimiter, from: impl Into<Option<IpAddr>>, name: &str) {
    limiter.attempt(from.into(), name).await.expect("the right password is let through").succeeded();
}

async fn refused(limiter: &LoginLimiter, from: impl Into<Option<IpAddr>>, name: &str) -> Option<Duration> {
    match limiter.attempt(from.into(), name).await {
        Ok(attempt) => {
            attempt.void();
            None
        }
        Err(retry_after) => Some(retry_after),
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_refused_after_its_failures_and_others_are_not() {
    let limiter = limiter();
    for name in ["a", "b", "c"] {
        fail(&limiter, address(1), name).await;
    }
    let retry_after = refused(&limiter, address(1), "d").await.unwrap();
    assert_eq!(retry_after, Duration::from_secs(20));
    assert_eq!(refused(&limiter, address(2), "a").await, None);
    advance(retry_after).await;
    fail(&limiter, address(1), "d").await;
    assert!(refused(&limiter, address(1), "d").await.is_some());
}

#[tokio::test]
async fn a_name_is_refused_after_its_failures_wherever_they_come_from() {
    let limiter = limiter();
    for number in 1..=5 {
        fail(&limiter, address(number), "ann").await;
    }
    assert!(refused(&limiter, address(6), "ann").await.is_some());
    assert!(refused(&limiter, None, "ann").await.is_some());
    assert_eq!(refused(&limiter, address(6), "bob").await, None);
}

#[tokio::test(start_paused = true)]
async fn whoever_guesses_at_a_name_does_not_lock_out_where_its_user_logs_in() {
    let limiter = limiter();
    succeed(&limiter, address(9), "ann").await;
    for number in 1..=5 {
        fail(&limiter, address(number), "ann").await;
    }
    assert_eq!(refused(&limiter, address(9), "ann").await, None);
    assert!(refused(&limiter, address(8), "ann").await.is_some());
    // From there it may still not be guessed without end.
    for _ in 0..3 {
        fail(&limiter, address(9), "ann").await;
    }
    assert!(refused(&limiter, address(9), "ann").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_address_is_its_users_for_a_day() {
    let limiter = limiter();
    succeed(&limiter, address(9), "ann").await;
    advance(FAMILIAR).await;
    for number in 1..=5 {
        fail(&limiter, address(number), "ann").await;
    }
    assert!(refused(&limiter, address(9), "ann").await.is_some());
}

#[tokio::test]
async fn many_at_once_with_the_right_password_are_all_let_through() {
    let limiter = limiter();
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(limiter.attempt(Some(address(1)), "ann").await.unwrap());
    }
    let mut waits = pin!(limiter.attempt(Some(address(1)), "ann"));
    assert!(waits.as_mut().now_or_never().is_none(), "it depends on the three");
    for attempt in running {
        attempt.succeeded();
    }
    assert!(waits.now_or_never().unwrap().is_ok());
}

#[tokio::test]
async fn many_at_once_with_wrong_passwords_are_not() {
    let limiter = limiter();
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(limiter.attempt(Some(address(1)), "ann").await.unwrap());
    }
    let mut waits = pin!(limiter.attempt(Some(address(1)), "ann"));
    assert!(waits.as_mut().now_or_never().is_none());
    drop(running);
    assert!(waits.now_or_never().unwrap().is_err());
}

#[tokio::test]
async fn limits_of_zero_are_none() {
    let limits = LoginLimits { failures_per_address: 0, failures_per_name: 0, ..LoginLimits::default() };
    let limiter = LoginLimiter::new(&limits);
    for _ in 0..100 {
        fail(&limiter, address(1), "ann").await;
    }
}

#[test]
fn an_ipv6_network_counts_as_one_address() {
    let network_of = |text: &str| network(text.parse().unwrap()).to_string();
    assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(network_of("::ffff:192.0.2.7"), "192.0.2.7");
    assert_eq!(network_of("192.0.2.7"), "192.0.2.7");
}

#[tokio::test]
async fn what_is_remembered_is_bounded() {
    let limiter = LoginLimiter::new(&LoginLimits::default());
    for number in 0..2 * u32::try_from(REMEMBERED).unwrap() {
        succeed(&limiter, IpAddr::from(Ipv4Addr::from_bits(number)), &number.to_string()).await;
    }
    assert!(limiter.familiar.len() <= REMEMBERED);
}
