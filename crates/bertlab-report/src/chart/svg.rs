//! Writes a scene as SVG: inline, styled by the page, or as a standalone file.

use super::scene::{Anchor, Item, Scene};
use crate::markup::Markup;

/// The style of standalone files: a white background, for papers and slides.
const FILE_STYLE: &str = "text{font:12px system-ui,sans-serif}.bold{font-weight:600}\
.line{fill:none;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:5 4}\
.fill.ink{fill:#1d2530}.fill.muted{fill:#5b6673}.fill.grid{fill:#dfe3e8}.fill.first{fill:#0072b2}\
.fill.second{fill:#d55e00}.fill.on-first{fill:#fff}.line.ink{stroke:#1d2530}.line.muted{stroke:#5b6673}\
.line.grid{stroke:#dfe3e8}.line.first{stroke:#0072b2}.line.second{stroke:#d55e00}";

/// SVG for a page.
pub(crate) fn inline(scene: &Scene) -> Markup {
    let mut markup = Markup::default();
    let size = view_box(scene);
    let attributes = [("viewBox", size.as_str()), ("role", "img"), ("aria-label", &scene.title)];
    markup.within("svg", &attributes, |svg| scene.items.iter().for_each(|item| draw(svg, item)));
    markup
}

/// A standalone SVG file.
pub(crate) fn file(scene: &Scene) -> String {
    let mut markup = Markup::default();
    let (size, width, height) = (view_box(scene), scene.width.to_string(), scene.height.to_string());
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("viewBox", size.as_str()),
        ("width", &width),
        ("height", &height),
        ("role", "img"),
    ];
    markup.within("svg", &attributes, |svg| {
        svg.leaf("title", &[], &scene.title);
        svg.within("style", &[], |style| {
            style.raw(FILE_STYLE);
        });
        svg.empty("rect", &[("width", "100%"), ("height", "100%"), ("fill", "#fff")]);
        scene.items.iter().for_each(|item| draw(svg, item));
    });
    markup.finish()
}

fn view_box(scene: &Scene) -> String {
    format!("0 0 {} {}", scene.width, scene.height)
}

fn draw(svg: &mut Markup, item: &Item) {
    match item {
        Item::Line { points, role, width, is_dashed } => {
            let class = format!("line {}{}", role.class(), if *is_dashed { " dashed" } else { "" });
            let points: Vec<String> =
                points.iter().map(|&(x, y)| format!("{},{}", short(x), short(y))).collect();
            let attributes =
                [("class", class.as_str()), ("points", &points.join(" ")), ("stroke-width", &short(*width))];
            svg.empty("polyline", &attributes);
        }
        Item::Box { x, y, width, height, role, opacity, hint } => {
            let class = format!("fill {}", role.class());
            let numbers = [*x, *y, *width, *height, *opacity].map(short);
            let attributes = [
                ("class", class.as_str()),
                ("x", &numbers[0]),
                ("y", &numbers[1]),
                ("width", &numbers[2]),
                ("height", &numbers[3]),
                ("fill-opacity", &numbers[4]),
            ];
            svg.within("rect", &attributes, |inner| with_hint(inner, hint));
        }
        Item::Dot { x, y, radius, role, opacity, hint } => {
            let class = format!("fill {}", role.class());
            let numbers = [*x, *y, *radius, *opacity].map(short);
            let attributes = [
                ("class", class.as_str()),
                ("cx", &numbers[0]),
                ("cy", &numbers[1]),
                ("r", &numbers[2]),
                ("fill-opacity", &numbers[3]),
            ];
            svg.within("circle", &attributes, |inner| with_hint(inner, hint));
        }
        Item::Text { .. } => draw_text(svg, item),
    }
}

fn draw_text(svg: &mut Markup, item: &Item) {
    let Item::Text { x, y, text, role, anchor, is_vertical, is_bold } = item else { return };
    let class = format!("fill {}{}", role.class(), if *is_bold { " bold" } else { "" });
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let (x, y) = (short(*x), short(*y));
    let turn = format!("rotate(-90 {x} {y})");
    let mut attributes =
        vec![("class", class.as_str()), ("x", x.as_str()), ("y", y.as_str()), ("text-anchor", anchor)];
    if *is_vertical {
        attributes.push(("transform", &turn));
    }
    svg.leaf("text", &attributes, text);
}

/// Writes a tooltip, unless it is empty.
fn with_hint(markup: &mut Markup, hint: &str) {
    if !hint.is_empty() {
        markup.leaf("title", &[], hint);
    }
}

/// A number with at most two decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
