"""What to use instead of a function that has no counterpart."""

KNOWN: dict[str, str] = {
    **dict.fromkeys(("relu", "sigmoid", "tanh", "gelu", "silu"), "use a neuron"),
    **dict.fromkeys(("softmax", "log_softmax"), "return the logits: the decision is their argmax"),
    **dict.fromkeys(("mul", "sub"), "put constant factors into the weights, or into the data"),
    **dict.fromkeys(("permute", "transpose", "movedim"), "give inputs with time first"),
}
"""What to use instead, by the function's name."""


def cure(name: str) -> str:
    """What to use instead of a function."""
    if name.endswith("_step"):
        return "call the module of the library that does the same, such as LIFCell or LICell"
    return KNOWN.get(name, "use layers, + and stack, sum, mean or amax over time")
