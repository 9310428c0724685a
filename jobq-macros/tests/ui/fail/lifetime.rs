use jobq::job;

#[job]
async fn send<'a>(value: std::borrow::Cow<'a, str>) {
    drop(value);
}

fn main() {}
