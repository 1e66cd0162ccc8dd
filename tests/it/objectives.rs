//! Fits to values, derivatives and differences through the public interface.

use inr::decode::{Component, Jets, Network};
use inr::fit::OptimizerChoice;
use inr::fit::{
    Anchor, Expression, FieldFit, FitRecipe, Objective, ObjectiveTerm, PictureLoss, PictureTerm,
};
use inr::{Depth, Error, InrPicture, Layout, Limits, RenderOptions};
use inr_formats::{Activation, Grid, Header, InrFile, Mlp, Model, Sampling};

const SIDE: u32 = 20;
const PIXELS: usize = (SIDE * SIDE) as usize;

fn recipe(steps: u64) -> FitRecipe {
    let mlp = Mlp {
        activation: Activation::Sine,
        frequencies: 0,
        hidden: vec![24, 24],
        omega_first: 12.0,
        omega_hidden: 30.0,
        grid: Grid::PixelCentre,
    };
    let recipe = FitRecipe::new(mlp).rate(3e-3).batch(128).steps(steps);
    recipe.seed(1).threads(2)
}

/// Field values of a smooth picture: 0 in the middle grey.
fn values() -> Vec<f32> {
    let value = |at: u32| {
        let (x, y) = ((at % SIDE) as f32, (at / SIDE) as f32);
        0.3 + 0.5 * (0.5 * x).sin() * (0.35 * y + 0.4).cos()
    };
    (0..SIDE * SIDE).map(value).collect()
}

fn term(expression: Expression, targets: Vec<f32>) -> ObjectiveTerm {
    ObjectiveTerm {
        expression,
        targets,
        weight: 1.0,
        mask: None,
    }
}

fn objective(terms: Vec<ObjectiveTerm>) -> Objective {
    Objective {
        size: [SIDE; 2],
        channels: 1,
        grid: Grid::PixelCentre,
        terms,
        picture: None,
    }
}

fn open(network: &Network, mlp: &Mlp) -> InrPicture {
    let header = Header {
        width: SIDE,
        height: SIDE,
        layout: Layout::Grey,
        depth: Depth::F32,
        value_range: [-1.0, 1.0],
        sampling: Sampling::Point,
        cicp: None,
        model: Model::Mlp(mlp.clone()),
    };
    let file = InrFile::new(header, network.to_float_layers());
    InrPicture::open(&file.write().unwrap(), &Limits::default()).unwrap()
}

fn jets(network: &Network, mlp: &Mlp) -> Jets {
    open(network, mlp)
        .jets(&RenderOptions::default(), &mut ())
        .unwrap()
}

fn mean(values: &[f32]) -> f64 {
    values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
}

/// The PSNR of a fit's values for a range of 2, as the sample range is.
fn fitted(objective: Objective, anchor: &Anchor, steps: u64) -> f64 {
    let mut fit = FieldFit::new(objective.anchored(anchor), &recipe(steps)).unwrap();
    while !fit.is_finished() {
        fit.step().unwrap();
    }
    let mut network = fit.network().unwrap();
    let found = jets(&network, fit.mlp()).plane(Component::Value, 0);
    anchor.settle(&mut network, &[mean(&found)]);
    let found = jets(&network, fit.mlp()).plane(Component::Value, 0);
    let errors = found
        .iter()
        .zip(values())
        .map(|(a, b)| f64::from(a - b).powi(2));
    10.0 * (4.0 * PIXELS as f64 / errors.sum::<f64>()).log10()
}

/// The derivatives of a field that was fitted to the picture, exactly.
fn exact(component: Component) -> Vec<f32> {
    let mut fit = FieldFit::new(
        objective(vec![term(Expression::exact(Component::Value), values())]),
        &recipe(2000),
    )
    .unwrap();
    while !fit.is_finished() {
        fit.step().unwrap();
    }
    jets(&fit.network().unwrap(), fit.mlp()).plane(component, 0)
}

#[test]
fn a_picture_comes_back_from_exact_gradients_and_its_mean() {
    let gradients = [Component::Dx, Component::Dy]
        .map(|component| term(Expression::exact(component), exact(component)));
    let anchor = Anchor::Mean(vec![mean(&values())]);
    let psnr = fitted(objective(gradients.to_vec()), &anchor, 1500);
    assert!(psnr > 35.0, "{psnr}");
    let free = fitted(objective(gradients.to_vec()), &Anchor::Free, 1500);
    assert!(free < psnr, "{free} for {psnr}");
}

#[test]
fn a_picture_comes_back_from_its_laplacian_and_border() {
    let laplacian = term(
        Expression::exact(Component::Laplacian),
        exact(Component::Laplacian),
    );
    let anchor = Anchor::Border {
        values: values(),
        weight: 10.0,
    };
    let psnr = fitted(objective(vec![laplacian]), &anchor, 2000);
    assert!(psnr > 30.0, "{psnr}");
}

#[test]
fn a_picture_comes_back_from_its_differences() {
    let values = values();
    let side = SIDE as usize;
    let terms = Expression::differences(1).into_iter().zip([1, side]);
    let terms = terms.enumerate().map(|(axis, (expression, step))| {
        let inside = |at: usize| [at % side, at / side][axis] + 1 < side;
        let target = |at: usize| {
            if inside(at) {
                values[at + step] - values[at]
            } else {
                0.0
            }
        };
        let mask = (0..PIXELS).map(|at| f32::from(u8::from(inside(at))));
        ObjectiveTerm {
            mask: Some(mask.collect()),
            ..term(expression, (0..PIXELS).map(target).collect())
        }
    });
    let anchor = Anchor::Mean(vec![mean(&values)]);
    let psnr = fitted(objective(terms.collect()), &anchor, 1500);
    assert!(psnr > 35.0, "{psnr}");
}

#[test]
fn a_fit_that_is_resumed_goes_where_it_would_have_gone() {
    for optimizer in [
        OptimizerChoice::ScheduleFree,
        OptimizerChoice::Adam,
        OptimizerChoice::AdamConstant,
    ] {
        let recipe = recipe(60).optimizer(optimizer);
        let begin = || {
            let wanted = objective(vec![term(Expression::mean(2), values())]);
            FieldFit::new(wanted, &recipe).unwrap()
        };
        let mut whole = begin();
        let mut checkpoint = Vec::new();
        while !whole.is_finished() {
            if whole.steps_done() == 23 {
                checkpoint = whole.checkpoint().unwrap().unwrap();
            }
            whole.step().unwrap();
        }
        let mut resumed = begin();
        let mut damaged = checkpoint.clone();
        damaged[checkpoint.len() / 2] ^= 1;
        assert!(resumed.resume(&damaged).is_err());
        resumed.resume(&checkpoint).unwrap();
        while !resumed.is_finished() {
            resumed.step().unwrap();
        }
        assert_eq!(whole.network().unwrap(), resumed.network().unwrap());
    }
}

#[test]
fn objectives_that_make_no_sense_are_refused() {
    let wrong = |objective: Objective| {
        let refused = FieldFit::new(objective, &recipe(1)).err().unwrap();
        assert!(matches!(refused, Error::Misuse { .. }), "{refused}");
    };
    wrong(objective(Vec::new()));
    wrong(objective(vec![term(Expression(Vec::new()), values())]));
    wrong(objective(vec![term(Expression::mean(1), vec![0.0; 7])]));
    let bad = |weight, mask| ObjectiveTerm {
        weight,
        mask,
        ..term(Expression::mean(1), values())
    };
    wrong(objective(vec![bad(f32::NAN, None)]));
    wrong(objective(vec![bad(1.0, Some(vec![1.0; 3]))]));
    let mut fit = FieldFit::new(objective(vec![bad(1.0, None)]), &recipe(1)).unwrap();
    assert!(fit.resume(&[1, 2, 3]).is_err());
}

/// Mean squared differences, as a loss of the whole picture.
#[derive(Debug)]
struct Squares(Vec<f32>);

impl PictureLoss for Squares {
    fn loss_and_gradient(&self, values: &[f32], gradient: &mut [f32]) -> Result<f64, Error> {
        let count = values.len() as f32;
        let mut sum = 0.0;
        for ((value, wanted), slope) in values.iter().zip(&self.0).zip(gradient) {
            sum += f64::from(value - wanted).powi(2);
            *slope = 2.0 * (value - wanted) / count;
        }
        Ok(sum / f64::from(count))
    }
}

/// Two channels, so that their order matters.
fn two_channels() -> Vec<f32> {
    values().iter().flat_map(|v| [*v, 0.5 - v * v]).collect()
}

#[test]
fn a_loss_of_the_whole_picture_is_worth_what_the_same_squares_are() {
    let fit = |weight: f32, picture: f32| {
        let mut objective = Objective::values([SIDE; 2], 2, Grid::PixelCentre, two_channels());
        objective.terms[0].weight = weight;
        objective.picture = (picture > 0.0).then(|| PictureTerm {
            loss: std::sync::Arc::new(Squares(two_channels())),
            weight: picture,
        });
        let whole = recipe(200).batch(PIXELS);
        let mut fit = FieldFit::new(objective, &whole).unwrap();
        let losses: Vec<f64> = (0..200).map(|_| fit.step().unwrap().unwrap()).collect();
        losses
    };
    let (plain, mixed, whole) = (fit(1.0, 0.0), fit(0.25, 0.75), fit(0.0, 1.0));
    for other in [mixed, whole] {
        for step in [0, 10] {
            let error = (plain[step] - other[step]).abs();
            assert!(error < 1e-3 * plain[step], "{error} at step {step}");
        }
        assert!(
            other[199] < 0.05 * other[0],
            "{} of {}",
            other[199],
            other[0]
        );
    }
    let mut objective = Objective::values([SIDE; 2], 2, Grid::PixelCentre, two_channels());
    objective.picture = Some(PictureTerm {
        loss: std::sync::Arc::new(Squares(two_channels())),
        weight: f32::NAN,
    });
    let refused = FieldFit::new(objective, &recipe(1));
    assert!(matches!(refused.err(), Some(Error::Misuse { .. })));
}
