use jobq::job;

#[job]
async fn send() {
    let count = std::rc::Rc::new(7);
    std::future::ready(()).await;
    drop(count);
}

fn main() {}
