//! A bar chart of the parts of a whole.

use super::scene::{Anchor, Item, LETTER, Role, Scene};
use crate::number::{grouped, percent, shortened};

/// Height of a bar and the gap below it.
const ROW: f64 = 34.0;

/// A bar for each part; `parts` are names and sizes.
pub(crate) fn scene(title: &str, parts: &[(String, usize)]) -> Scene {
    let whole = parts.iter().map(|part| part.1).sum::<usize>().max(1) as f64;
    let largest = parts.iter().map(|part| part.1).max().unwrap_or(1).max(1) as f64;
    let names: Vec<String> = parts.iter().map(|part| shortened(&part.0, 18)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let left = (LETTER + 0.6) * longest + 12.0;
    const NUMBERS: f64 = 140.0;
    let mut scene = Scene::new(title, 400.0, ROW * parts.len() as f64);
    for (row, ((_, size), name)) in parts.iter().zip(&names).enumerate() {
        let y = ROW * row as f64 + 6.0;
        let width = (400.0 - left - NUMBERS) * *size as f64 / largest;
        scene.text((left - 8.0, y + 15.0), name, Role::Ink, Anchor::End);
        let hint = format!("{name}: {} of {}", grouped(*size), grouped(whole as usize));
        let (x, height) = (left, ROW - 12.0);
        scene.items.push(Item::Box {
            x,
            y,
            width: width.max(1.5),
            height,
            role: Role::First,
            opacity: 1.0,
            hint,
        });
        let words = format!("{} ({})", grouped(*size), percent(*size as f64 / whole));
        scene.text((left + width + 7.0, y + 15.0), &words, Role::Muted, Anchor::Start);
    }
    scene
}
