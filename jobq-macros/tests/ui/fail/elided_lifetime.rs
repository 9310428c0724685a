use jobq::job;

#[job]
async fn send(email: std::borrow::Cow<'_, str>) {
    drop(email);
}

fn main() {}
