"""The card that is measured on: what it is, what it could do at best, and when it is done."""

PEAKS = {  # from NVIDIA's data sheets: TFLOP/s without sparsity in float32 and TF32; TB/s of memory
    "NVIDIA H100 80GB HBM3": (67, 495, 3.35),
    "NVIDIA H100 PCIe": (51, 378, 2.0),
    "NVIDIA H200": (67, 495, 4.8),
    "NVIDIA A100-SXM4-80GB": (19.5, 156, 2.0),
    "NVIDIA A100-SXM4-40GB": (19.5, 156, 1.55),
}


def done(step, device):
    """The step, and the wait until the card is done with it."""
    if device == "cpu":
        return step
    import cupy

    def and_wait():
        step()
        cupy.cuda.runtime.deviceSynchronize()  # of the whole card, PyTorch's work included

    return and_wait


def facts(device):
    """{card, driver, CUDA, CuPy}; None on the CPU."""
    if device == "cpu":
        return None
    import cupy

    runtime = cupy.cuda.runtime
    return {"card": runtime.getDeviceProperties(0)["name"].decode(),
            "driver": cuda_version(runtime.driverGetVersion()),
            "cuda": cuda_version(runtime.runtimeGetVersion()),
            "cupy": cupy.__version__}  # fmt: skip


def sentence(found):
    """The facts in one line."""
    return (
        f"{found['card']}; driver for {found['driver']}, runtime {found['cuda']}, CuPy "
        f"{found['cupy']}"
    )


def cuda_version(number):
    return f"CUDA {number // 1000}.{number % 1000 // 10}"


def peaks(row):
    """(TFLOP/s in the row's kind of product, TB/s), at best; None for a card that is not known, and
    on the CPU."""
    known = PEAKS.get(row["card"] and row["card"]["card"])
    return known and (known[1 if row.get("tf32") else 0], known[2])


def give_back(device):
    """Let CuPy and PyTorch return the memory that nobody uses, before others want it."""
    if device == "cpu":
        return
    import cupy

    cupy.get_default_memory_pool().free_all_blocks()
    try:
        import torch
    except ImportError:
        return
    torch.cuda.empty_cache()
