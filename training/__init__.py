"""The practical tasks, trained in torch with autograd's gradients or with derived ones.

Results are data: a curve as CSV and metrics as JSON in the folder of a run, which `reports` typesets.
"""
