"""Scaled dot-product and multi-head attention: figure 2 of the paper with a model's sizes."""

def plot_attention_architecture(model):
    pass
