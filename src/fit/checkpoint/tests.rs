use proptest::prelude::*;

use super::*;

prop_compose! {
    fn kept()(step: u64, parameters in prop::collection::vec(-2.0_f32..2.0, 0..9)) -> Kept {
        Kept { step, parameters }
    }
}

prop_compose! {
    fn outcome()(
        parameters in prop::collection::vec(-2.0_f32..2.0, 0..9),
        epochs in 0.0..1e6,
        rate in 1e-9_f32..10.0,
        stopped in prop::sample::select(&STOPS[..]),
    ) -> FitOutcome {
        FitOutcome { parameters, epochs, rate, stopped }
    }
}

prop_compose! {
    fn state()(
        rate in 1e-9_f32..10.0,
        [restarts, losses]: [u32; 2],
        from in kept(),
        [step, told]: [u64; 2],
        kept in prop::option::of(kept()),
        descent in prop::collection::vec(-2.0_f32..2.0, 0..30),
    ) -> FitState {
        FitState {
            tries: Tries { rate, restarts, losses, wasted: 0.5, from },
            run: RunState { step, loss: 0.25, told, least: f64::INFINITY, seconds: 1.5, kept, descent },
        }
    }
}

prop_compose! {
    fn checkpoint()(
        key in ".{0,20}",
        picture: u64,
        seconds in 0.0..1e9,
        done in prop::collection::vec(outcome(), 0..4),
        under_way in state(),
    ) -> Checkpoint {
        Checkpoint { key, picture, seconds, done, under_way }
    }
}

/// `bytes` with the digest that belongs to them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = digest(EMPTY, bytes.iter().copied());
    bytes.extend(sum.to_le_bytes());
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read(checkpoint in checkpoint()) {
        prop_assert_eq!(Checkpoint::read(&checkpoint.write()), Ok(checkpoint));
    }

    #[test]
    fn a_cut_or_a_changed_bit_is_told(checkpoint in checkpoint(), place: prop::sample::Index, bit in 0_u8..8) {
        let mut bytes = checkpoint.write();
        prop_assert!(Checkpoint::read(&bytes[..place.index(bytes.len())]).is_err());
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        prop_assert!(Checkpoint::read(&bytes).is_err());
    }

    /// Behind a right digest: any error, no panic, no more memory than there are bytes.
    #[test]
    fn any_bytes_are_read_or_refused(checkpoint in checkpoint(), place: prop::sample::Index, bytes: Vec<u8>) {
        let mut content = checkpoint.write();
        content.truncate(place.index(content.len()).max(SIGNATURE.len()));
        content.extend(bytes);
        let _ = Checkpoint::read(&sealed(content));
    }
}
