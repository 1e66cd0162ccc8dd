use std::f64::consts::PI;

use super::*;

fn go_on(_: f64) -> Control {
    Control::Continue
}

/// A wave that the Laplacian of a grid with closed borders keeps, and what it multiplies it by.
fn wave(width: usize, height: usize, [p, q]: [usize; 2]) -> (Vec<f32>, f64) {
    let along = |i: usize, k: usize, n: usize| (PI * k as f64 * (i as f64 + 0.5) / n as f64).cos();
    let values = (0..height)
        .flat_map(|y| (0..width).map(move |x| (along(x, p, width) * along(y, q, height)) as f32));
    let root = |k: usize, n: usize| 2.0 * (PI * k as f64 / (2 * n) as f64).sin();
    let factor = root(p, width).powi(2) + root(q, height).powi(2);
    (values.collect(), -factor)
}

fn largest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(0.0, |most, value| most.max(value.abs()))
}

#[test]
fn screened_waves_have_their_closed_form() {
    for (width, height) in [(64, 48), (37, 51), (1, 40), (40, 1), (2, 2), (1, 1)] {
        for waves in [[0, 0], [1, 0], [3, 2], [width - 1, height - 1]] {
            let waves = [waves[0].min(width - 1), waves[1].min(height - 1)];
            for screen in [1e-3, 0.1, 4.0] {
                let (b, laplacian) = wave(width, height, waves);
                let system = Poisson::screened(width, height, screen, 1).expect("a system");
                let u = system.solved(&b, &mut go_on).expect("a solution");
                let exact = 1.0 / (f64::from(screen) - laplacian);
                let errors = u.iter().zip(&b).map(|(u, b)| u - b * exact as f32);
                let error = largest(errors) / exact as f32;
                assert!(error < 5e-5, "{width}x{height} {waves:?} {screen}: {error}");
            }
        }
    }
}

/// x^2 - y^2 is harmonic on the grid as well as in the plane, so that a hole in it closes seamlessly.
#[test]
fn holes_in_a_harmonic_picture_close() {
    let (width, height) = (61, 47);
    let at = |i: usize| {
        [
            (i % width) as f32 / 30.0 - 1.0,
            (i / width) as f32 / 30.0 - 0.8,
        ]
    };
    let values: Vec<f32> = (0..width * height)
        .map(|i| at(i)[0].powi(2) - at(i)[1].powi(2))
        .collect();
    // A ring that leaves its middle fixed, and does not touch the border.
    let inside: Vec<bool> = (0..width * height)
        .map(|i| (0.1..0.5).contains(&(at(i)[0].powi(2) + at(i)[1].powi(2))))
        .collect();
    let mut b = vec![0.0; width * height];
    Poisson::border(width, &inside, &values, &mut b);
    let system = Poisson::masked(width, height, &inside, 1).expect("a system");
    let u = system.solved(&b, &mut go_on).expect("a solution");
    let errors = (0..u.len())
        .filter(|i| inside[*i])
        .map(|i| u[i] - values[i]);
    assert!(largest(errors) < 1e-5);
    assert!(
        (0..u.len()).all(|i| inside[i] || u[i] == 0.0),
        "fixed pixels stay 0"
    );
}

#[test]
fn integrating_a_picture_s_own_differences_gives_it_back() {
    let (width, height, screen) = (53, 40, 1e-3);
    let picture: Vec<f32> = (0..width * height)
        .map(|i| ((i * 7919) % 257) as f32 / 257.0)
        .collect();
    let difference = |i: usize, j: usize| picture.get(j).map_or(0.0, |p| p - picture[i]);
    let across: Vec<f32> = (0..picture.len()).map(|i| difference(i, i + 1)).collect();
    let down: Vec<f32> = (0..picture.len())
        .map(|i| difference(i, i + width))
        .collect();
    let mut b = negative_divergence(width, &across, &down, 1);
    b.iter_mut()
        .zip(&picture)
        .for_each(|(b, p)| *b += screen * p);
    let system = Poisson::screened(width, height, screen, 1).expect("a system");
    let u = system.solved(&b, &mut go_on).expect("a solution");
    assert!(largest(u.iter().zip(&picture).map(|(u, p)| u - p)) < 2e-5);
}

#[test]
fn threads_change_nothing() {
    let (width, height) = (400, 300);
    let b: Vec<f32> = (0..width * height)
        .map(|i| ((i * 31) % 101) as f32 / 101.0)
        .collect();
    let solve = |threads| {
        let system = Poisson::screened(width, height, 0.01, threads).expect("a system");
        system.solved(&b, &mut go_on).expect("a solution")
    };
    assert_eq!(solve(1), solve(3));
}

#[test]
fn what_cannot_be_solved_is_refused_and_a_watcher_ends_it() {
    assert!(Poisson::screened(8, 8, 0.0, 1).is_err());
    assert!(Poisson::screened(8, 0, 1.0, 1).is_err());
    assert!(Poisson::masked(8, 8, &[true; 64], 1).is_err());
    assert!(Poisson::masked(8, 8, &[false; 63], 1).is_err());
    let system = Poisson::screened(64, 64, 0.001, 1).expect("a system");
    assert!(system.solved(&[0.0; 5], &mut go_on).is_err());
    let (b, _) = wave(64, 64, [1, 1]);
    let stopped = system.solved(&b, &mut |_| Control::Stop);
    assert!(matches!(stopped, Err(Error::Cancelled)));
}
