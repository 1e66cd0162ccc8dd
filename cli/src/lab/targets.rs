//! What networks are shown of a picture, as objectives.

use anyhow::Result;
use inr::decode::Component;
use inr::fit::{Anchor, Expression, Objective, ObjectiveTerm};
use inr::{InrPicture, RenderOptions};

use super::settings::{AnchorName, Settings, Supervision};
use super::source::Grey;

/// The study's factors of Sobel's gradients and of the discrete Laplacian.
const STUDY_GRADIENT: f32 = 10.0;
const STUDY_LAPLACIAN: f32 = 10_000.0;

/// Samples of a square picture that goes on mirrored, edges repeated, as SciPy's filters have it.
fn filtered(values: &[f32], side: usize, expression: &Expression, factor: f32) -> Vec<f32> {
    let mirrored = |at: isize| {
        let at = at.rem_euclid(2 * side as isize) as usize;
        at.min(2 * side - 1 - at)
    };
    let value = |at: usize| {
        let taps = expression.0.iter().map(|([dx, dy], _, coefficient)| {
            let x = mirrored((at % side) as isize + *dx as isize);
            let y = mirrored((at / side) as isize + *dy as isize);
            coefficient * values[y * side + x]
        });
        factor * taps.sum::<f32>()
    };
    (0..side * side).map(value).collect()
}

fn term(expression: Expression, targets: Vec<f32>) -> ObjectiveTerm {
    ObjectiveTerm {
        expression,
        targets,
        weight: 1.0,
        mask: None,
    }
}

/// The anchor of `settings` for `picture`.
pub fn anchor(settings: &Settings, picture: &Grey) -> Result<Anchor> {
    let weight = settings.anchor_weight;
    Ok(match settings.anchor {
        AnchorName::Free => Anchor::Free,
        AnchorName::Mean => {
            let values = picture.values();
            let sum: f64 = values.iter().copied().map(f64::from).sum();
            Anchor::Mean(vec![sum / values.len() as f64])
        }
        AnchorName::Border => Anchor::Border {
            values: picture.values(),
            weight,
        },
        AnchorName::Picture => {
            let small = picture.side / settings.anchor_reduction.max(1) as usize;
            let given = picture.resized(small.max(1))?.resized(picture.side)?;
            Anchor::Picture {
                values: given.values(),
                weight,
            }
        }
    })
}

/// What a network that has `settings` is fitted to. `teacher` is a field that was fitted to the picture, for
/// supervision by exact derivatives.
pub fn objective(
    settings: &Settings,
    picture: &Grey,
    teacher: Option<&InrPicture>,
) -> Result<Objective> {
    let (side, values) = (picture.side, picture.values());
    let size = [side as u32; 2];
    // Pixels per unit of the study's coordinates.
    let unit = (side as f64 - 1.0).max(1.0) / 2.0;
    let per_coordinate = [1.0, unit, unit, unit * unit];
    let [dx, dy, laplacian] =
        [Component::Dx, Component::Dy, Component::Laplacian].map(Expression::exact);
    let differenced = |expressions: [Expression; 2]| -> Vec<ObjectiveTerm> {
        expressions
            .map(|expression| {
                let targets = filtered(&values, side, &expression, 1.0);
                inside(term(expression, targets), side)
            })
            .to_vec()
    };
    let terms = match settings.supervision {
        Supervision::Value if settings.footprint <= 1 => {
            vec![term(Expression::exact(Component::Value), values)]
        }
        Supervision::Value => vec![term(Expression::mean(settings.footprint), values)],
        Supervision::StudyGradient => {
            let [sobel_x, sobel_y] = Expression::sobel();
            [(dx, sobel_x), (dy, sobel_y)]
                .map(|(exact, sobel)| {
                    let targets = filtered(&values, side, &sobel, STUDY_GRADIENT);
                    term(exact.scaled(per_coordinate), targets)
                })
                .to_vec()
        }
        Supervision::StudyLaplacian => {
            let second = Expression::second_differences();
            let targets = filtered(&values, side, &second, STUDY_LAPLACIAN);
            vec![term(laplacian.scaled(per_coordinate), targets)]
        }
        Supervision::Sobel => differenced(Expression::sobel()),
        Supervision::Differences => differenced(Expression::differences(1)),
        Supervision::PathDifferences => reaches(side, 8)
            .flat_map(|reach| differenced(Expression::differences(reach)))
            .collect(),
        Supervision::Laplace => {
            let expression = Expression::second_differences();
            let targets = filtered(&values, side, &expression, 1.0);
            vec![inside(term(expression, targets), side)]
        }
        Supervision::SquareLaplace => squares(&values, side),
        Supervision::ExactGradient => {
            let [x, y] = exact(teacher, [Component::Dx, Component::Dy])?;
            vec![term(dx, x), term(dy, y)]
        }
        Supervision::ExactLaplacian => {
            let [targets] = exact(teacher, [Component::Laplacian])?;
            vec![term(laplacian, targets)]
        }
    };
    let objective = Objective {
        size,
        channels: 1,
        grid: settings.grid(),
        terms,
        picture: None,
    };
    Ok(objective.anchored(&anchor(settings, picture)?))
}

/// Of every pixel the smallest square, and the largest that the picture has room for: a few steps from any pixel to the
/// border.
fn squares(values: &[f32], side: usize) -> Vec<ObjectiveTerm> {
    let mut terms: Vec<ObjectiveTerm> = Vec::new();
    for reach in reaches(side, 2) {
        let expression = Expression::square(reach);
        let targets = filtered(values, side, &expression, 1.0);
        let term = inside(term(expression, targets), side);
        if let [_, .., before] = &mut terms[..]
            && let (Some(mask), Some(larger)) = (&mut before.mask, &term.mask)
        {
            let pairs = mask.iter_mut().zip(larger);
            pairs.for_each(|(mask, larger)| *mask -= larger);
        }
        terms.push(term);
    }
    terms
}

/// 1 and its multiples by `factor`, as far as a picture of this side has room for them on both sides of a pixel.
fn reaches(side: usize, factor: u32) -> impl Iterator<Item = u32> {
    let all = (0..).map(move |power| factor.pow(power));
    all.take_while(move |reach| 2 * (*reach as usize) < side)
}

/// Leaves out the pixels whose stencil reaches beyond the picture.
fn inside(mut term: ObjectiveTerm, side: usize) -> ObjectiveTerm {
    let fits = |at: usize, offset: [f64; 2]| {
        let place = [at % side, at / side];
        (0..2).all(|axis| {
            let at = place[axis] as f64 + offset[axis];
            at >= 0.0 && at < side as f64
        })
    };
    let weight = |at: usize| {
        let all = term
            .expression
            .0
            .iter()
            .all(|(offset, ..)| fits(at, *offset));
        f32::from(u8::from(all))
    };
    term.mask = Some((0..side * side).map(weight).collect());
    term
}

/// Components of a field, in field values (twice those of samples).
fn exact<const N: usize>(
    teacher: Option<&InrPicture>,
    components: [Component; N],
) -> Result<[Vec<f32>; N]> {
    let Some(teacher) = teacher else {
        anyhow::bail!("exact derivatives without a field to take them of");
    };
    let jets = teacher.jets(&RenderOptions::default(), &mut ())?;
    Ok(components.map(|component| {
        let plane = jets.plane(component, 0);
        plane.into_iter().map(|value| 2.0 * value).collect()
    }))
}
