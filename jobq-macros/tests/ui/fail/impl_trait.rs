use jobq::job;

#[job]
async fn send(value: impl Send) {
    drop(value);
}

fn main() {}
