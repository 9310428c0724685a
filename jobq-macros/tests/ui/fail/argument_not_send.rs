use jobq::job;

#[job]
async fn open(name: std::rc::Rc<str>) {
    drop(name);
}

fn main() {}
