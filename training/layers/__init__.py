"""Recurrent layers: any cell over a whole sequence, with autograd's gradients or with derived ones."""
