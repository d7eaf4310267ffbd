//! The report as one page that needs nothing from elsewhere.

use std::fmt::Write;

use crate::summary::{
    busy,
    folder::{Folder, Scenario},
    plots,
    svg::escape,
    table,
};

const STYLE: &str = include_str!("html/style.css");
const GUIDE: &str = include_str!("html/guide.html");

/// Returns the page.
pub(crate) fn page(folders: &[Folder], scenarios: &[Scenario]) -> String {
    let mut body = String::from("<h1>Benchmark report</h1>\n");
    for folder in folders {
        push(&mut body, format_args!("<h2>{}</h2>\n<table class=\"facts\">", escape(&folder.name)));
        for (name, value) in &folder.environment {
            push(&mut body, format_args!("<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(value)));
        }
        body.push_str("</table>\n");
    }
    faults(&mut body, scenarios);
    warnings(&mut body, folders);
    body.push_str(GUIDE);
    push(&mut body, format_args!("<h2>Side by side</h2>\n<div class=\"plots\">"));
    body.push_str(&plots::compare(scenarios).concat());
    body.push_str("</div>\n");
    for folder in folders {
        let images = plots::over_time(folder);
        if !images.is_empty() {
            let name = escape(&folder.name);
            push(&mut body, format_args!("<h2>Over time: {name}</h2>\n<div class=\"plots\">"));
            body.push_str(&images.concat());
            body.push_str("</div>\n");
        }
    }
    body.push_str("<h2>All figures</h2>\n");
    for scenario in scenarios {
        figures(&mut body, scenario);
    }
    for folder in folders.iter().filter(|folder| !folder.commands.is_empty()) {
        let (name, commands) = (escape(&folder.name), escape(&folder.commands));
        push(&mut body, format_args!("<h2>Commands of {name}</h2>\n<pre>{commands}</pre>"));
    }
    format!(
        concat!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Benchmark report</title>\n",
            "<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
        ),
        style = STYLE,
        body = body
    )
}

fn faults(body: &mut String, scenarios: &[Scenario]) {
    let all: Vec<&String> = scenarios.iter().flat_map(|scenario| &scenario.faults).collect();
    if all.is_empty() {
        body.push_str(
            "<p class=\"good\">Nothing was lost, duplicated, out of order, refused or closed.</p>\n",
        );
        return;
    }
    list(body, "bad", &all);
}

fn warnings(body: &mut String, folders: &[Folder]) {
    let all: Vec<String> = folders.iter().flat_map(|folder| busy::warnings(&folder.busy)).collect();
    if !all.is_empty() {
        push(body, format_args!("<details class=\"warn\"><summary>{}</summary>", busy::MEANING));
        list(body, "loads", &all);
        body.push_str("</details>\n");
    }
}

fn list(body: &mut String, class: &str, lines: &[impl AsRef<str>]) {
    push(body, format_args!("<ul class=\"{class}\">"));
    for line in lines {
        push(body, format_args!("<li>{}</li>", escape(line.as_ref())));
    }
    body.push_str("</ul>\n");
}

fn figures(body: &mut String, scenario: &Scenario) {
    let rounds = scenario.rounds();
    push(
        body,
        format_args!(
            "<h3>{} (rounds: {rounds})</h3>\n<div class=\"wide\"><table>\n<tr><th></th>",
            escape(&scenario.title)
        ),
    );
    for case in &scenario.cases {
        push(body, format_args!("<th>{}</th>", escape(&case.name)));
    }
    body.push_str("<th>reading</th></tr>\n");
    for row in table::rows(scenario) {
        push(body, format_args!("<tr><td>{}</td>", escape(&row.label)));
        for cell in &row.cells {
            push(body, format_args!("<td class=\"n\">{}</td>", escape(cell)));
        }
        push(body, format_args!("<td class=\"r\">{}</td></tr>", escape(&row.verdict)));
    }
    body.push_str("</table></div>\n");
    for note in &scenario.notes {
        push(body, format_args!("<p class=\"note\">{}</p>", escape(note)));
    }
}

fn push(body: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(body, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::folder::{merge, tests::folder};

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_shows_what_was_found() {
        let (_place, folder) = folder(&[(1.0, 4.0), (3.0, 6.0)]);
        let folders = [folder];
        let page = page(&folders, &merge(&folders));
        for foreign in ["<script", "http://", "https://", "<link", "@import", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        assert!(page.contains("<svg") && page.contains("2.00 (1.00 – 3.00)"));
        assert!(page.contains("2 cores &amp; more") && page.contains("a &lt;note&gt;"));
        assert!(page.contains("Nothing was lost"));
    }

    #[test]
    fn a_busy_machine_is_warned_of() {
        let (place, quiet) = folder(&[(1.0, 4.0)]);
        assert!(!page(&[quiet], &[]).contains("busy with something else"));
        std::fs::write(place.path().join("busy.csv"), "10,6,0,idle, round 1\n").unwrap();
        let busy = Folder::read(place.path()).unwrap();
        assert!(
            page(&[busy], &[]).contains("<li>idle, round 1: other programs used 0.6 cores meanwhile</li>")
        );
    }

    #[test]
    fn faults_come_first() {
        let scenario = Scenario { faults: vec!["64, round 1: 3 lost".to_owned()], ..Scenario::default() };
        let page = page(&[], &[scenario]);
        assert!(page.contains("<li>64, round 1: 3 lost</li>") && !page.contains("Nothing was lost"));
    }
}
