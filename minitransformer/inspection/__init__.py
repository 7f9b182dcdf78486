"""TODO inspection"""
