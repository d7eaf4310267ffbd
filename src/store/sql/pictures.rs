//! Pictures that the database keeps.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::query::LIST_VALUES;
use super::{Dialect, Session, Value, query};

/// Where they are.
pub(crate) const TABLE: &str = "shardcast_images";

/// Saves a picture, unless there is one of that name.
pub(crate) async fn save<D: Dialect>(
    session: &mut Session<'_, D>,
    name: &str,
    content: &[u8],
) -> Result<(), sqlx::Error> {
    let insertion = query("INSERT INTO shardcast_images (name, content) VALUES (?, ?)");
    session.insert_if_new(insertion.bind(name).bind(content)).await.map(drop)
}

/// Returns the size of a picture.
pub(crate) async fn bytes<D: Dialect>(
    session: &mut Session<'_, D>,
    name: &str,
) -> Result<Option<usize>, sqlx::Error> {
    let of_name = query("SELECT octet_length(content) FROM shardcast_images WHERE name = ?").bind(name);
    let Some(row) = session.first(of_name).await? else { return Ok(None) };
    Ok(usize::try_from(row.unsigned(0)?).ok())
}

pub(crate) async fn content<D: Dialect>(
    session: &mut Session<'_, D>,
    name: &str,
) -> Result<Option<Bytes>, sqlx::Error> {
    let of_name = query("SELECT content FROM shardcast_images WHERE name = ?").bind(name);
    let Some(row) = session.first(of_name).await? else { return Ok(None) };
    Ok(row.bytes(0)?.map(Bytes::copy_from_slice))
}

/// Deletes pictures, and returns how many there were.
pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    names: &[&str],
) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    for some in names.chunks(LIST_VALUES) {
        let deletion = query("DELETE FROM shardcast_images WHERE name {in}");
        deleted += session.run(deletion.bind(Value::Texts(some.to_vec()))).await?;
    }
    Ok(deleted)
}

/// Returns the names of all pictures, in their order.
pub(crate) async fn names<D: Dialect>(session: &mut Session<'_, D>) -> Result<Vec<String>, sqlx::Error> {
    let names = session.all(query("SELECT name FROM shardcast_images ORDER BY name")).await?;
    names.iter().map(|row| row.text(0)).collect()
}

/// Returns the names of the pictures that applications have, in their order.
pub(crate) async fn of_applications<D: Dialect>(
    session: &mut Session<'_, D>,
) -> Result<Vec<String>, sqlx::Error> {
    let names = query("SELECT DISTINCT image FROM applications WHERE image <> '' ORDER BY image");
    session.all(names).await?.iter().map(|row| row.text(0)).collect()
}

/// Returns the names of the pictures that applications have and the database does not keep.
pub(crate) async fn missing<D: Dialect>(session: &mut Session<'_, D>) -> Result<Vec<String>, sqlx::Error> {
    let images = of_applications(session).await?;
    let mut missing: BTreeSet<_> = images.iter().cloned().collect();
    // Not in one query: columns that a Gotify made may have another collation, with which no name can be compared.
    for some in images.chunks(LIST_VALUES) {
        let kept = query("SELECT name FROM shardcast_images WHERE name {in}");
        let some = Value::Texts(some.iter().map(String::as_str).collect());
        for row in session.all(kept.bind(some)).await? {
            missing.remove(&row.text(0)?);
        }
    }
    Ok(missing.into_iter().collect())
}
