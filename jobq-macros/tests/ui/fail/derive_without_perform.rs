use jobq::{Job, Perform};

#[derive(Job)]
struct Charge {
    order: u64,
}

fn register<J: Perform>() {}

fn main() {
    register::<Charge>();
}
