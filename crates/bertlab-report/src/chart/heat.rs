//! A heat map of a square matrix of cosine similarities.

use super::scene::{Anchor, Item, LETTER, Role, Scene, shade};
use crate::number::shortened;

const TOP: f64 = 24.0;
const HEIGHT: f64 = 44.0;

/// The heat map of `values` `[W, W]`. Colours range from the smallest value to 1, because cosines of one
/// model are close to each other.
pub(crate) fn scene(title: &str, labels: &[String], values: &[Vec<Option<f32>>]) -> Scene {
    let low = values.iter().flatten().flatten().copied().fold(1.0_f32, f32::min);
    let names: Vec<String> = labels.iter().map(|label| shortened(label, 12)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let left = LETTER * longest + 14.0;
    let cell = ((400.0 - left - 4.0) / labels.len().max(1) as f64).min(90.0);
    let mut scene = Scene::new(title, 400.0, TOP + HEIGHT * labels.len() as f64 + 4.0);
    for (row, (name, of_row)) in names.iter().zip(values).enumerate() {
        let y = TOP + HEIGHT * row as f64;
        scene.text((left + cell * (row as f64 + 0.5), TOP - 8.0), name, Role::Ink, Anchor::Middle);
        scene.text((left - 8.0, y + HEIGHT / 2.0 + 4.0), name, Role::Ink, Anchor::End);
        for (column, value) in of_row.iter().enumerate() {
            let x = left + cell * column as f64;
            let heat = value.map_or(0.0, |value| if low < 1.0 { (value - low) / (1.0 - low) } else { 1.0 });
            draw_cell(&mut scene, (x, y, cell), (*value, heat), format!("{name} ~ {}", names[column]));
        }
    }
    scene
}

fn draw_cell(
    scene: &mut Scene,
    (x, y, width): (f64, f64, f64),
    (value, heat): (Option<f32>, f32),
    pair: String,
) {
    let number = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let (opacity, role) = shade(f64::from(heat));
    scene.items.push(Item::Box {
        x: x + 1.0,
        y: y + 1.0,
        width: width - 2.0,
        height: HEIGHT - 2.0,
        role: Role::First,
        opacity,
        hint: format!("{pair}: {number}"),
    });
    scene.text((x + width / 2.0, y + HEIGHT / 2.0 + 4.0), &number, role, Anchor::Middle);
}
