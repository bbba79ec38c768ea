"""Makes the files of this folder. They were made with PyTorch 1.13: python3 make.py"""
import collections
import os

import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def ramp(count, start=0.0):
    """Numbers that half precision holds exactly."""
    return torch.arange(count, dtype=torch.float32) * 0.25 - 3 + start


def tensors():
    shared = ramp(24)
    return collections.OrderedDict(
        plain=ramp(6).view(2, 3),
        half=ramp(6).half(),
        bfloat=ramp(6).bfloat16(),
        double=ramp(6).double(),
        scalar=torch.tensor(-2.5),
        empty=torch.zeros(0, 3),
        transposed=ramp(6).view(2, 3).t(),
        every_other=shared[1:20:2],
        whole=shared,
        tail=shared[20:],
        expanded=ramp(3).view(3, 1).expand(3, 2),
        permuted_half=ramp(24).half().view(2, 3, 4).permute(2, 0, 1),
        parameter=torch.nn.Parameter(ramp(4)),
        integers=torch.arange(5),
    )


torch.save(tensors(), "tensors.pt")
torch.save(tensors(), "tensors_stream.pt", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "model": {"a": ramp(2), "b": [ramp(3), None, True]}, "name": "x"}, "nested.pt")
parallel = collections.OrderedDict(("module." + k, v) for k, v in (("in.bias", ramp(2).half()), ("out.bias", ramp(3))))
torch.save(parallel, "parallel_half.pt")


def run(folder, flatten):
    """A run of eight updates, saved as the reference does: numbered 7. The ninth update's gradient and result, too."""
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(1)
    shapes = {"in.weight": (3, 2, 2), "in.bias": (3,), "out.weight": (2, 3), "out.bias": (2,)}
    model = collections.OrderedDict((k, torch.nn.Parameter(torch.randn(s))) for k, s in shapes.items())
    groups = flatten(list(model.values()))
    masters = [torch.nn.Parameter(torch.cat([p.detach().reshape(-1) for p in g]).view(s)) for g, s in groups] if groups else []
    optimizer = torch.optim.AdamW(masters or list(model.values()), lr=0.01, weight_decay=0.05)
    ema = collections.OrderedDict((k, v.detach().clone()) for k, v in model.items())

    def update():
        gradients = [torch.randn(p.shape) for p in model.values()]
        by_parameter = dict(zip(map(id, model.values()), gradients))
        if groups:
            for master, (group, shape) in zip(masters, groups):
                master.grad = torch.cat([by_parameter[id(p)].reshape(-1) for p in group]).view(shape)
        else:
            for p, g in zip(model.values(), gradients):
                p.grad = g
        optimizer.step()
        for master, (group, _) in zip(masters, groups):
            at = 0
            for p in group:
                p.data.copy_(master.detach().view(-1)[at:at + p.numel()].view(p.shape))
                at += p.numel()
        for k, v in model.items():
            ema[k].mul_(0.99).add_(v.detach(), alpha=0.01)
        return gradients

    for _ in range(8):
        update()
    torch.save(model, folder + "/model000007.pt")
    torch.save(ema, folder + "/ema_0.99_000007.pt")
    torch.save(optimizer.state_dict(), folder + "/opt000007.pt")
    gradients = collections.OrderedDict(zip(model, update()))
    torch.save(gradients, folder + "/ninth_gradient.pt")
    torch.save(model, folder + "/ninth_model.pt")
    torch.save(ema, folder + "/ninth_ema.pt")


run("per_parameter", lambda parameters: [])
run("two_flat", lambda parameters: [([p for p in parameters if p.ndim <= 1], (-1,)), ([p for p in parameters if p.ndim > 1], (1, -1))])
run("one_flat", lambda parameters: [(parameters, (-1,))])
