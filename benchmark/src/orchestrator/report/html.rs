//! A report as a page of its own, which loads nothing.

use super::Report;

const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/report.js");

/// A page, with the nonce that its policy names.
#[derive(Debug)]
pub(in super::super) struct Page {
    pub(in super::super) text: String,
    nonce: String,
}

impl Page {
    /// Writes the page of a report.
    pub(in super::super) fn new(report: &Report) -> Self {
        let nonce = format!("{:032x}", rand::random::<u128>());
        // So that no text of a report ends the element that holds it.
        let json = serde_json::to_string(report).unwrap_or_default().replace('<', "\\u003c");
        let text = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Load test</title>\n\
             <style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n<main id=\"report\"></main>\n\
             <script type=\"application/json\" id=\"data\" nonce=\"{nonce}\">{json}</script>\n\
             <script nonce=\"{nonce}\">\n{SCRIPT}\nshowReport(document.getElementById('report'), \
             JSON.parse(document.getElementById('data').textContent));\n</script>\n</body>\n</html>\n"
        );
        Self { text, nonce }
    }

    /// Returns the policy under which it works.
    pub(in super::super) fn policy(&self) -> String {
        let nonce = &self.nonce;
        format!(
            "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    }
}
