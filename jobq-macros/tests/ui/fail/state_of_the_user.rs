use jobq::job;

enum State {
    Open,
}

#[job]
async fn open(state: State) {
    drop(state);
}

fn main() {}
