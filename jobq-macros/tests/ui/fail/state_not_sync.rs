use jobq::{State, job};

#[job]
async fn count(cell: State<std::cell::Cell<u64>>) {
    drop(cell);
}

fn main() {}
