use jobq::job;

#[job]
async fn send<T>(value: T) {
    drop(value);
}

fn main() {}
