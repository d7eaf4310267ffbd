//! A frame with two axes, into which plots are drawn, as inline SVG.

use std::fmt::Write;

use crate::summary::axis::{Axis, short};

/// The classes of the style sheet that give servers their colors, by day and by night.
const COLORS: [&str; 6] = ["color-0", "color-1", "color-2", "color-3", "color-4", "color-5"];

/// Returns the class that gives the `n`th server its color.
pub(crate) fn color(n: usize) -> &'static str {
    COLORS[n % COLORS.len()]
}

/// Makes a text safe inside an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An image with a title, a vertical axis with grid lines, and room for the rest.
#[derive(Debug)]
pub(crate) struct Canvas {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    end: f64,
    body: String,
    size: (f64, f64),
    name: String,
}

impl Canvas {
    /// Draws title, vertical axis and its name (with the unit). `above` is the room between the title and the plot.
    pub(crate) fn new(size: (f64, f64), above: f64, title: &str, vertical: &str, axis: &Axis) -> Self {
        let (width, height) = size;
        let mut canvas = Self {
            left: 92.0,
            right: width - 14.0,
            top: 28.0 + above,
            bottom: height - 84.0,
            end: axis.end(),
            body: String::new(),
            size,
            name: title.to_owned(),
        };
        canvas.text(12.0, 20.0, "title", title);
        let middle = f64::midpoint(canvas.top, canvas.bottom);
        let turned = format!(r#"transform="rotate(-90 14 {middle:.1})" text-anchor="middle""#);
        canvas.text_with(14.0, middle, "name", &turned, vertical);
        for (value, label) in axis.ticks() {
            let y = canvas.y(value);
            let class = if value == 0.0 { "base" } else { "grid" };
            canvas.line((canvas.left, y), (canvas.right, y), class, "");
            canvas.text(canvas.left - 6.0, y + 4.0, "tick end", &label);
        }
        canvas
    }

    /// Says above the upper edge how far a value lies above the axis; nothing for one that does not.
    pub(crate) fn beyond(&mut self, x: f64, value: f64) {
        if value > self.end {
            self.text(x, self.top - 3.0, "mark mid", &format!("▲ {}", short(value)));
        }
    }

    /// Returns where a value stands. What is above the axis stands at its end.
    pub(crate) fn y(&self, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * (value / self.end).clamp(0.0, 1.0)
    }

    /// Writes the name of the horizontal axis.
    pub(crate) fn horizontal(&mut self, name: &str) {
        let middle = f64::midpoint(self.left, self.right);
        self.text(middle, self.bottom + 52.0, "name mid", name);
    }

    /// Writes a row of colored names below everything.
    pub(crate) fn legend(&mut self, names: &[String]) {
        let (mut x, y) = (self.left, self.size.1 - 10.0);
        for (at, name) in names.iter().enumerate() {
            self.rect((x, y - 10.0), (12.0, 12.0), color(at), name);
            self.text(x + 17.0, y, "tick", name);
            x += 40.0 + 7.0 * f64::from(u32::try_from(name.chars().count()).unwrap_or(0));
        }
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.text_with(x, y, class, "", text);
    }

    pub(crate) fn text_with(&mut self, x: f64, y: f64, class: &str, more: &str, text: &str) {
        self.add(&format!(r#"<text x="{x:.1}" y="{y:.1}" class="{class}" {more}>{}</text>"#, escape(text)));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str, more: &str) {
        let ((a, b), (c, d)) = (from, to);
        self.add(&format!(
            r#"<line x1="{a:.1}" y1="{b:.1}" x2="{c:.1}" y2="{d:.1}" class="{class}" {more}/>"#
        ));
    }

    /// Draws a rectangle filled with a server's color; the tip shows when pointed at.
    pub(crate) fn rect(&mut self, at: (f64, f64), size: (f64, f64), color: &str, tip: &str) {
        let ((x, y), (width, height)) = (at, size);
        self.add(&format!(
            concat!(
                r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="bar {color}">"#,
                "<title>{tip}</title></rect>"
            ),
            x = x,
            y = y,
            width = width,
            height = height,
            color = color,
            tip = escape(tip)
        ));
    }

    pub(crate) fn dot(&mut self, x: f64, y: f64) {
        self.add(&format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="2.4" class="dot"/>"#));
    }

    pub(crate) fn path(&mut self, points: &[(f64, f64)], color: &str) {
        let mut all = String::new();
        for (x, y) in points {
            // Writing to a string does not fail.
            let _ = write!(all, "{x:.1},{y:.1} ");
        }
        self.add(&format!(r#"<polyline points="{}" class="path {color}"/>"#, all.trim_end()));
    }

    fn add(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// Returns the image.
    pub(crate) fn finish(self) -> String {
        let (width, height) = self.size;
        format!(
            concat!(
                r#"<div class="plot"><svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" "#,
                "role=\"img\" aria-label=\"{name}\">\n{body}</svg></div>\n"
            ),
            width = width,
            height = height,
            name = escape(&self.name),
            body = self.body
        )
    }
}
