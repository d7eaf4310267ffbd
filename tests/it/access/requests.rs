//! A request for each route.

/// A request that is granted if whoever asks may.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With names in braces, in place of ids.
    pub(crate) path: String,
    /// As text: there are names in braces in it, too.
    pub(crate) body: String,
}

impl Request {
    /// Returns method and path, as the table and the documentation have it.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Returns all of them.
pub(crate) fn requests() -> Vec<Request> {
    let lines = include_str!("requests.txt").lines();
    lines
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (method, rest) = line.split_once(' ').unwrap();
            let (path, body) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            Request { method: method.to_owned(), path: path.to_owned(), body: body.trim().to_owned() }
        })
        .collect()
}
