//! Which known name a person probably meant by an unknown one.

use super::declare::{Declaration, Key};

/// Returns what to say of an unknown key of this section, to follow "unknown key"; empty if no key is like it.
pub(super) fn for_key(name: &str, section: &'static Declaration, root: &'static Declaration) -> String {
    let names = section.keys.iter().map(Key::name).chain(section.sections.iter().map(|inner| inner.name()));
    if let Some(near) = nearest(name, names) {
        return format!(", did you mean `{near}`?");
    }
    // The right name in the wrong place: not indented below its section, or below another one.
    let elsewhere = root.all_keys().into_iter().filter(|key| key.name() == name);
    let places: Vec<String> = elsewhere.map(|key| format!("`{}`", key.path)).collect();
    match places.as_slice() {
        [] => String::new(),
        [place] => format!(", did you mean {place}? Indent it below its section"),
        _ => format!(", did you mean one of {}? Indent it below its section", places.join(", ")),
    }
}

/// Returns the path of the key that an unknown variable probably means. `name` has no `GOTIFY_` before it.
pub(super) fn for_variable(name: &str, keys: &[&'static Key]) -> Option<&'static Key> {
    let joined = |text: &str| text.replace(['_', '.'], "").to_ascii_lowercase();
    let wanted = joined(name);
    let like = |key: &&&'static Key| is_near(&wanted, &joined(key.path));
    let nearest = keys.iter().filter(like).min_by_key(|key| strsim::osa_distance(&wanted, &joined(key.path)));
    // Else a name that lacks some of the sections before the key: GOTIFY_PORT, GOTIFY_STREAM_MAXLAG.
    let words: Vec<String> = name.split('_').map(str::to_ascii_lowercase).collect();
    let lacks_sections = |key: &&&'static Key| {
        let mut parts = key.path.split(['_', '.']);
        words.last().is_some_and(|last| key.path.replace('_', ".").ends_with(&format!(".{last}")))
            && words.iter().all(|word| parts.any(|part| part == word))
    };
    nearest.or_else(|| keys.iter().filter(lacks_sections).min_by_key(|key| key.path.len())).copied()
}

fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known.filter(|known| is_near(&name, known)).min_by_key(|known| strsim::osa_distance(&name, known))
}

/// Whether one may be a slip of the other: up to two letters are wrong, missing, added or swapped, but at most a third
/// of them; or one is the other with something added.
fn is_near(a: &str, b: &str) -> bool {
    let shorter = a.len().min(b.len());
    let slips = (shorter / 3).clamp(1, 2);
    strsim::osa_distance(a, b) <= slips || (shorter >= 4 && (a.starts_with(b) || b.starts_with(a)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config::declare::Section;

    const ROOT: &Declaration = &Config::DECLARATION;

    #[test]
    fn a_slip_in_a_key_is_noticed() {
        let server = ROOT.section("server").unwrap();
        for (name, expected) in [
            ("prot", ", did you mean `port`?"),
            ("ListenAddr", ", did you mean `listenaddr`?"),
            ("listenaddress", ", did you mean `listenaddr`?"),
            ("steam", ", did you mean `stream`?"),
            ("dialect", ", did you mean `database.dialect`? Indent it below its section"),
            ("colour", ""),
        ] {
            assert_eq!(for_key(name, server, ROOT), expected, "{name}");
        }
        assert_eq!(
            for_key("port", ROOT, ROOT),
            ", did you mean one of `server.port`, `server.ssl.port`? Indent it below its section"
        );
    }

    #[test]
    fn a_slip_in_a_variable_is_noticed() {
        let keys = ROOT.all_keys();
        for (name, expected) in [
            ("DEFAULTUSER_PASSWORD", Some("defaultuser.pass")),
            ("DEFAULT_USER_PASS", Some("defaultuser.pass")),
            ("SERVER_PROT", Some("server.port")),
            ("SERVER_TRUSTED_PROXIES", Some("server.trustedproxies")),
            ("OIDC_LINKBYUSERNAME", Some("oidc.link_by_username")),
            ("PORT", Some("server.port")),
            ("STREAM_MAXLAG", Some("server.stream.maxlag")),
            ("SERVER_SHARDCOUNT", Some("server.stream.shardcount")),
            ("TOKEN", None),
            ("URL", Some("cluster.url")),
            ("PATH", None),
            ("HOST", None),
        ] {
            assert_eq!(for_variable(name, &keys).map(|key| key.path), expected, "{name}");
        }
    }
}
