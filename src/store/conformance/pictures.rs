//! What every database does with the pictures that it keeps.

use super::{application, user};
use crate::store::{Database, ImageName};

fn name(name: &str) -> ImageName {
    ImageName::parse(name).unwrap()
}

pub(crate) async fn a_picture_is_kept_until_it_is_deleted(database: &dyn Database) {
    let (large, small) = (name("Large.png"), name("large.png"));
    assert_eq!(database.picture_bytes(&large).await.unwrap(), None);
    assert_eq!(database.picture(&large).await.unwrap(), None);
    assert!(!database.delete_picture(&large).await.unwrap());
    let content: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[usize::from(at % 7 == 0)]).collect();
    database.save_picture(&large, &content).await.unwrap();
    database.save_picture(&small, b"").await.unwrap();
    // What has a name keeps its content.
    database.save_picture(&large, b"other").await.unwrap();
    assert_eq!(database.picture_bytes(&large).await.unwrap(), Some(content.len()));
    assert!(database.picture(&large).await.unwrap().unwrap() == content);
    assert!(database.delete_picture(&large).await.unwrap());
    assert!(!database.delete_picture(&large).await.unwrap());
    assert_eq!(database.picture(&large).await.unwrap(), None);
    assert_eq!(database.picture_bytes(&small).await.unwrap(), Some(0));
}

pub(crate) async fn a_picture_goes_with_what_had_it(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let names = ["a.png", "b.png", "c.png", "d.png", "kept.png"].map(name);
    for name in &names {
        database.save_picture(name, name.as_str().as_bytes()).await.unwrap();
    }
    let kept = async || {
        let mut kept = Vec::new();
        for name in &names {
            kept.extend(database.picture(name).await.unwrap());
        }
        kept
    };
    let changed = application(database, &alice, "A1").await;
    let deleted = application(database, &alice, "A2").await;
    let of_bob = application(database, &bob, "A3").await;
    for (application, name) in [(&changed, "a.png"), (&deleted, "c.png"), (&of_bob, "d.png")] {
        database.set_application_image(application.id, name).await.unwrap();
    }
    assert_eq!(kept().await.len(), 5);
    database.set_application_image(changed.id, "b.png").await.unwrap();
    assert_eq!(kept().await, ["b.png", "c.png", "d.png", "kept.png"]);
    database.set_application_image(changed.id, "b.png").await.unwrap();
    assert_eq!(kept().await.len(), 4, "it is the same one");
    database.set_application_image(changed.id, "").await.unwrap();
    assert_eq!(kept().await, ["c.png", "d.png", "kept.png"]);
    database.delete_application(deleted.id).await.unwrap();
    assert_eq!(kept().await, ["d.png", "kept.png"]);
    database.delete_user(bob.id).await.unwrap();
    assert_eq!(kept().await, ["kept.png"]);
}

pub(crate) async fn pictures_that_are_elsewhere_are_named(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for (token, image) in [("A1", ""), ("A2", "kept.png"), ("A3", "b.png"), ("A4", "a.png"), ("A5", "a.png")]
    {
        let application = application(database, &alice, token).await;
        database.set_application_image(application.id, image).await.unwrap();
    }
    database.save_picture(&name("kept.png"), b"kept").await.unwrap();
    assert_eq!(database.missing_pictures().await.unwrap(), ["a.png", "b.png"]);
}
