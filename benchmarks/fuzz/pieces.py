"""Pieces of formulas and of documents: good, odd, and hostile."""

from __future__ import annotations

import re


def listed(text: str) -> tuple[str, ...]:
    """The pieces of a text between which there are two spaces or more, or an end of line."""
    return tuple(piece for piece in re.split(r" {2,}|\n\s*", text) if piece)


WORDS = listed(
    r"""
    h_t  h_{t-1}  h_{t+1}  h_T  h_0  h_k  x_t  x_1  W  U  b  L  L_t  \delta_t  \bar{h}_t  \nabla_W  \nabla_{h_t}
    W^\top  \frac{\partial h_t}{\partial h_{t-1}}  \frac{\partial L}{\partial W}  W^{-1}  h_t^2  \tanh(h_t)  \sigma'
    \sqrt  \operatorname{diag}(h_t)  \sum_{t=1}^{T}  \prod_{k=1}^{t}  \lVert h_t \rVert  \mathbf{1}  \mathbb{R}^n  I
    0  1  -1  2  0.5  \infty  T  t  k  n  \odot  \cdot  \otimes  \times  +  -  /  =  \le  <  \in  \approx  \ne  :=
    \equiv  \to  ^  _  ^\top  {  }  (  )  [  ]  \left(  \right)  \left.  |  \|  &  \\  ,  ;  :  !  '  ''  \,  \quad  $
    $$  \[  \]  \(  \)  %  #  ~  `  ```  \begin{align}  \end{align}  \begin{cases}  \end{cases}  \begin{pmatrix}
    \end{pmatrix}  \text{for}  \text{if}  \text{ where }  \text{(not for } t = 1)  \label{a}  \tag{1}  \ldots  \dots
    \cdots  \partial  \nabla  \sqrt[3]{2}  \frac  \frac{1}{0}  \frac12  \hat  \tilde{h}  \operatorname  \mathrm{tr}
    \max  \exp  \log  \det  \vec  \underbrace{h}_{a}  \overbrace  \newcommand  \def\x{  \input{/etc/passwd}
    \write18{ls}  \csname  \verb|  \limits  \limits_  \int  \lim_{T\to\infty}  e_{y_t}  C(j)  \pi(j)  \arg\max
    \mathbb{N}  \mathcal{L}  \partial^+  \frac{d}{dt}  h(t)  h^{(t)}  h^{<t>}  h[t]  W.T  @  **  delta[t]  ∂  ∇  ⊙  ≤
    ᵀ  ²  ½  ∑  α
    """
)
"""Pieces of formulas, good and bad."""
NUMBERS = (
    *listed(
        r"""
        0  1  -1  00  0.0  1e308  1e-308  1e999999  1e-999999  10^{10^{10}}  2^{2^{2^{2^{2}}}}  99999999999
        1000000000  4294967296  9223372036854775808  0.1  .5  1.  1,000  1/3  \frac{1}{0}  \frac{0}{0}  0^0  0^{-1}
        (-1)^{1/2}  \sqrt{-1}  \sqrt[0]{2}  \infty  -\infty  1e400  \exp(1000)  \exp(\exp(\exp(9)))  \log(0)  10!
        1e-7  1e200  \pi  e  i  NaN  inf  0x10  1_000  \tan(1.5707963)  100000  501  40  \frac{1}{2}  37
        """
    ),
    "9" * 59,
    "9" * 5000,
    f"0.{'0' * 300}1",
    "\uff11",
    "\u0663",
    "\u00b2",
)
"""Numbers that are odd, or too large."""
UNICODE = (
    *"\u0301\u202e\u200b\u200d\ufeff\u0000\ud800\udfff\u2028\u0085\x07\u00ad\u1d44a\U0001d44a\u0130\u01c5\ufb01\u2126\u0661",
    *"\u06f5\u0967\uff1d\u2212\u00a0\u3000\u05d0\u0627\U0001f600\u2061\r\x0b\x0c\t\u2207\u2202\u22a4\u1d40\u2081\u209c\u00b5",
    "\x1b[2J",
    "e\u0301" * 40,
    "\u0301" * 500,
    "\r\n",
    "\u207b\u00b9",
    "h\u209c",
    "\u03c3\u2032",
)
"""Characters that texts rarely hold."""
COMMANDS = listed(
    r"""
    \input{/etc/passwd}  \include{/etc/hosts}  \write18{touch /tmp/bptt-was-here}  \immediate\write18{id}
    \read5 to \x  \openin5=/etc/passwd  \csname input\endcsname{/etc/passwd}  \catcode`\@=11  \catcode`\%=12
    \lowercase{\def\x}  \expandafter\x\x  \loop\iftrue\repeat  \let\x=\y  \let\tanh\sigma  \def\x{\x\x}\x
    \def\x#1{\x{#1#1}}\x{1}  \edef\x{\x}  \gdef\x{1}  \futurelet\x  \newif\ifx  \iffalse  \fi  \else  \ifnum1=1
    \the\count0  \number99999999  \romannumeral 999999999  \uppercase{h}  \verb|$$h_t = 1$$|  \verb|  \verb*+x+
    \lstinputlisting{/etc/passwd}  \includegraphics{/dev/zero}  \usepackage{shellesc}
    \begin{verbatim}$$1=1$$\end{verbatim}  \begin{verbatim}  \begin{comment}  \end{comment}  \begin{filecontents}{x}
    \end{document}  \makeatletter  \ShellEscape{id}  \directlua{os.execute('id')}  \special{x}  \par  \halign{#\cr}
    \hbox{$h_t$}  \text{$h_t=1$}  \ensuremath{h_t}  \phantom{= 0}  \hphantom{x}  \cancel{W}  \color{white}
    \textcolor{red}{W}  \mathchoice{a}{b}{c}{d}  \char`\$  __import__('os').system('id')  {{7*7}}  ${IFS}  {% raw %}
    <script>alert(1)</script>  \x00  %n%s%x  ../../../../etc/passwd  \boxed{W}  \not=  \overset{!}{=}  \stackrel{a}{=}
    \substack{a \\ b}  \intertext{= 0}
    """
)
"""Commands that do something in TeX or elsewhere, or hide something."""
DISPLAYS = (
    ("$$", "$$"),
    ("\\[", "\\]"),
    ("\\begin{equation}", "\\end{equation}"),
    ("\\begin{align*}", "\\end{align*}"),
    ("\\begin{gather}", "\\end{gather}"),
    ("\\begin{alignat}{2}", "\\end{alignat}"),
    ("\\begin{eqnarray}", "\\end{eqnarray}"),
    ("\\begin{equation*}\\begin{split}", "\\end{split}\\end{equation*}"),
    ("\\begin{multline}", "\\end{multline}"),
    ("$$\\begin{aligned}", "\\end{aligned}$$"),
    ("```math\n", "\n```"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("", ""),
)
"""What formulas stand in."""
ROW = " \\\\ "
"""Between the rows of a matrix."""
