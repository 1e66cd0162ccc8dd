#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| inr_fuzz::write_read(bytes));
