//! The confusion matrix: true labels in rows, predictions in columns, coloured by the share of a label's
//! rows.

use super::scene::{Anchor, Item, LETTER, Role, Scene, shade};
use crate::number::{grouped, percent, shortened};

/// Maximum number of labels for readable numbers.
pub(crate) const LABELS_MAX: usize = 16;

const TOP: f64 = 6.0;

/// The confusion matrix of `counts` `[C, C]`, by true label and prediction; C is at most [`LABELS_MAX`].
pub(crate) fn scene(labels: &[String], counts: &[Vec<usize>]) -> Scene {
    let n = labels.len();
    let names: Vec<String> =
        labels.iter().map(|label| shortened(label, if n > 6 { 12 } else { 18 })).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    let left = 30.0 + LETTER * longest;
    let cell = ((400.0 - left - 8.0) / n as f64).clamp(44.0, 110.0);
    let height = (cell * 0.62).max(34.0);
    let below = if is_tight(&names, cell) { 18.0 + LETTER * longest * 0.72 } else { 22.0 };
    let size = ((left + cell * n as f64 + 8.0).max(400.0), TOP + height * n as f64 + below + 20.0);
    let mut scene =
        Scene::new("Confusion matrix: true labels in rows, predictions in columns", size.0, size.1);
    scene.vertical_text((12.0, TOP + height * n as f64 / 2.0), "label", Role::Muted);
    for (row, (label, of_label)) in labels.iter().zip(counts).enumerate() {
        let y = TOP + height * row as f64;
        scene.text((left - 8.0, y + height / 2.0 + 4.0), &names[row], Role::Ink, Anchor::End);
        let n_rows: usize = of_label.iter().sum();
        for (column, &count) in of_label.iter().enumerate() {
            let share = if n_rows == 0 { 0.0 } else { count as f64 / n_rows as f64 };
            let x = left + cell * column as f64;
            let hint = format!(
                "{} of {} rows {label:?} predicted as {:?}",
                grouped(count),
                grouped(n_rows),
                labels[column]
            );
            draw_cell(&mut scene, (x, y, cell, height), (count, share), hint);
        }
    }
    draw_column_names(&mut scene, &names, (left, cell), TOP + height * n as f64);
    scene
}

fn draw_cell(scene: &mut Scene, place: (f64, f64, f64, f64), (count, share): (usize, f64), hint: String) {
    let (x, y, width, height) = place;
    let (opacity, role) = if share == 0.0 { (0.03, Role::Ink) } else { shade(share) };
    scene.items.push(Item::Box {
        x: x + 1.0,
        y: y + 1.0,
        width: width - 2.0,
        height: height - 2.0,
        role: Role::First,
        opacity,
        hint,
    });
    let centre = x + width / 2.0;
    if height >= 40.0 {
        scene.text((centre, y + height / 2.0 - 2.0), &grouped(count), role, Anchor::Middle);
        scene.text((centre, y + height / 2.0 + 14.0), &percent(share), role, Anchor::Middle);
    } else {
        scene.text((centre, y + height / 2.0 + 4.0), &grouped(count), role, Anchor::Middle);
    }
}

/// Whether names are too long for their columns.
fn is_tight(names: &[String], cell: f64) -> bool {
    names.iter().any(|name| LETTER * name.chars().count() as f64 > cell)
}

/// Draws the names of columns, vertically if they are too long.
fn draw_column_names(scene: &mut Scene, names: &[String], (left, cell): (f64, f64), bottom: f64) {
    let is_tight = is_tight(names, cell);
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0) as f64;
    for (column, name) in names.iter().enumerate() {
        let x = left + cell * (column as f64 + 0.5);
        if is_tight {
            let y = bottom + 8.0 + LETTER * longest * 0.5;
            scene.vertical_text((x + 4.0, y), name, Role::Ink);
        } else {
            scene.text((x, bottom + 17.0), name, Role::Ink, Anchor::Middle);
        }
    }
    let at = (left + cell * names.len() as f64 / 2.0, scene.height - 6.0);
    scene.text(at, "prediction", Role::Muted, Anchor::Middle);
}
